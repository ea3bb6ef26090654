"""Opens a notebook in Jupyter's classic Notebook and headless Chromium, runs all its cells and looks at what is drawn.

    classic.py NOTEBOOK SCREENSHOT.png [CHARTS]

Ends with 0 when every cell ran without an error and at least CHARTS (default 1) Plotly charts are drawn as SVG, and writes a picture of the
page; with 77 where Jupyter, Chromium or selenium is missing. The browser reaches nothing but this machine. The notebook is not saved.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

try:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
except ImportError as missing:
    print(missing)
    sys.exit(77)

PATIENCE = 600
STATE = """
const cells = Jupyter.notebook.get_cells().filter(c => c.cell_type === 'code');
const drawn = [...document.querySelectorAll('.js-plotly-plot')].filter(p => p.querySelectorAll('svg.main-svg').length > 0);
return {
  waiting: cells.filter(c => c.get_text().trim() !== '' && typeof c.input_prompt_number !== 'number').length,
  counts: cells.map(c => c.input_prompt_number),
  errors: cells.flatMap(c => c.output_area.outputs).filter(o => o.output_type === 'error').map(o => o.traceback.join('\\n')),
  charts: drawn.length,
  traces: drawn.map(p => p.querySelectorAll('svg .trace, svg .point, svg path.js-line').length),
  busy: Jupyter.notebook.kernel_busy,
};
"""


def until(what, condition):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.25)
    sys.exit(f"waited in vain: {what}")


def answers(url):
    try:
        return urllib.request.urlopen(url, timeout=5).status == 200
    except OSError:
        return False


def main():
    notebook, picture = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    charts = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    programs = {name: shutil.which(name) for name in ("jupyter-notebook", "chromedriver", "chromium")}
    if None in programs.values():
        print("missing: " + ", ".join(name for name, path in programs.items() if path is None))
        sys.exit(77)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        server = subprocess.Popen(
            [programs["jupyter-notebook"], "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}", "--NotebookApp.token=local",
             f"--notebook-dir={os.path.dirname(notebook)}"],
            env={**os.environ, "JUPYTER_RUNTIME_DIR": os.path.join(scratch, "runtime"), "JUPYTER_CONFIG_DIR": os.path.join(scratch, "config")},
            stdout=open(os.path.join(scratch, "log"), "w"), stderr=subprocess.STDOUT)
        browser = None
        try:
            address = f"http://127.0.0.1:{port}"
            until("the server", lambda: answers(f"{address}/api?token=local"))
            options = webdriver.ChromeOptions()
            options.binary_location = programs["chromium"]
            for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1100,2400",
                         f"--user-data-dir={scratch}/profile", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"):
                options.add_argument(flag)
            browser = webdriver.Chrome(service=Service(programs["chromedriver"]), options=options)
            browser.get(f"{address}/notebooks/{os.path.basename(notebook)}?token=local")
            until("the kernel", lambda: browser.execute_script(
                "return window.Jupyter && Jupyter.notebook && Jupyter.notebook._fully_loaded && Jupyter.notebook.kernel && Jupyter.notebook.kernel.is_connected()"))
            browser.execute_script("Jupyter.notebook.set_autosave_interval(0); Jupyter.notebook.clear_all_output(); Jupyter.notebook.execute_all_cells();")
            state = until("the cells", lambda: (s := browser.execute_script(STATE)) and not s["waiting"] and not s["busy"] and s)
            if not state["errors"]:
                end = time.monotonic() + 30
                while state["charts"] < charts and time.monotonic() < end:
                    time.sleep(0.25)
                    state = browser.execute_script(STATE)
            time.sleep(1)
            browser.execute_script("document.querySelector('#site').scrollTop = 0")
            browser.save_screenshot(picture)
            print(state)
            if state["errors"] or state["charts"] < charts or 0 in state["traces"]:
                for entry in browser.get_log("browser"):
                    print(entry["message"])
                sys.exit(1)
        finally:
            if browser:
                browser.execute_script("window.onbeforeunload = null")
                browser.quit()
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
