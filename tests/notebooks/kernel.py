"""Drives the installed kernels with jupyter_client, as front-ends do. Prints a line for each thing that holds; the first that does not ends it.

JUPYTER_PATH names the folder into which 'bird kernel install --prefix' wrote.
"""

import os
import signal
import subprocess
import sys
import time

from jupyter_client.manager import start_new_kernel

PATIENCE = 60
CSHARP, FSHARP = "birdresearch-csharp", "birdresearch-fsharp"


def hold(condition, what):
    if not condition:
        sys.exit(f"does not hold: {what}")
    print(f"holds: {what}", flush=True)


def run(client, code, **how):
    """Runs a cell and returns its reply, and its messages without busy and idle."""
    seen = []
    reply = client.execute_interactive(code, timeout=PATIENCE, output_hook=seen.append, **how)
    return reply["content"], [m for m in seen if m["msg_type"] not in ("status", "execute_input")]


def text(messages, name="stdout"):
    return "".join(m["content"]["text"] for m in messages if m["msg_type"] == "stream" and m["content"]["name"] == name)


def result(messages):
    return [m["content"]["data"]["text/plain"] for m in messages if m["msg_type"] == "execute_result"]


def until_output(client, identity):
    """Waits for the first text of a running cell."""
    while True:
        m = client.get_iopub_msg(timeout=PATIENCE)
        if m["msg_type"] == "stream" and m["parent_header"].get("msg_id") == identity:
            return


def reply_to(client, identity):
    while True:
        m = client.get_shell_msg(timeout=PATIENCE)
        if m["parent_header"].get("msg_id") == identity:
            return m["content"]


def interrupted(client, interrupt, code, what):
    """Starts a cell that would never end, interrupts it, and looks whether the kernel and its variables are still there."""
    identity = client.execute(code)
    until_output(client, identity)
    interrupt()
    content = reply_to(client, identity)
    hold(content["status"] == "error" and content["ename"] == "Interrupted", what)


def csharp(manager, client):
    content, seen = run(client, "var kept = 20; kept + 1")
    hold(content["status"] == "ok" and content["execution_count"] == 1 and result(seen) == ["21"], "a C# cell gives its last value")
    _, seen = run(client, 'Console.WriteLine("to out"); Console.Error.WriteLine("to error");')
    hold(text(seen) == "to out\n" and text(seen, "stderr") == "to error\n", "both streams arrive")
    _, seen = run(client, "for (var i = 0; i < 100_000; i++) Console.WriteLine(i);")
    hold(text(seen) == "".join(f"{i}\n" for i in range(100_000)), "a cell prints 100,000 lines, none lost")
    content, seen = run(client, 'var one = 1;\nthrow new InvalidOperationException("on purpose");', store_history=True)
    trace = "\n".join(content["traceback"])
    hold(content["ename"] == "InvalidOperationException" and content["evalue"] == "on purpose" and "line 2" in trace, "a throw names its line in the cell")
    content, _ = run(client, "int wrong = \"text\";")
    hold(content["status"] == "error" and "CS0029" in "\n".join(content["traceback"]), "a cell that does not compile says why")
    content, _ = run(client, "kept", user_expressions={"twice": "kept * 2", "none": "nothing_of_the_kind"})
    hold(content["user_expressions"]["twice"]["data"]["text/plain"] == "40" and content["user_expressions"]["none"]["status"] == "error", "user_expressions")
    content, _ = run(client, "Console.ReadLine()", allow_stdin=False)
    hold(content["status"] == "error" and "keyboard" in content["evalue"], "a cell that waits for the keyboard is told that there is none")

    spin = 'Console.WriteLine("on"); while (true) { }'
    wait = 'Console.WriteLine("on"); System.Threading.Thread.Sleep(-1);'
    interrupted(client, manager.interrupt_kernel, spin, "interrupt_request ends an endless loop")
    interrupted(client, lambda: os.kill(manager.provisioner.pid, signal.SIGINT), wait, "SIGINT ends an endless wait")
    hold(result(run(client, "kept")[1]) == ["20"], "the variables are still there")

    first = client.execute('Console.WriteLine("on"); System.Threading.Thread.Sleep(500); throw new Exception("stop");')
    waiting = [client.execute("kept = 1"), client.execute("kept = 2")]
    replies = [reply_to(client, i)["status"] for i in [first, *waiting]]
    hold(replies == ["error", "aborted", "aborted"] and result(run(client, "kept")[1]) == ["20"], "cells behind a failed one are left out")

    completed = client.complete("var s = \"x\"; s.ToUpp", reply=True, timeout=PATIENCE)["content"]
    hold("ToUpper" in completed["matches"] and completed["cursor_start"] == 15, "completion in C#")
    inspected = client.inspect("kept.ToString", reply=True, timeout=PATIENCE)["content"]
    hold(inspected["found"] and "int.ToString" in inspected["data"]["text/plain"], "hover in C#")
    answers = [reply_to(client, client.is_complete(code))["status"] for code in ("1 + 1", "if (true) {")]
    hold(answers == ["complete", "incomplete"], "is_complete in C#")
    lines = client.history(hist_access_type="search", pattern="var kept*", n=5, reply=True, timeout=PATIENCE)["content"]["history"]
    hold([line[2] for line in lines] == ["var kept = 20; kept + 1"], "history")

    _, seen = run(client, "#!fsharp\nlet squares = [ for i in 1..3 -> i * i ]\nList.sum squares")
    hold(result(seen) == ["14"], "an F# cell in a C# notebook")

    client.execute('Console.WriteLine("on"); while (true) { }')
    manager.restart_kernel()
    client.wait_for_ready(timeout=PATIENCE)
    content, _ = run(client, "kept")
    hold(content["status"] == "error" and content["execution_count"] == 1, "restart, while a cell runs, forgets everything")


def fsharp(manager, client):
    content, seen = run(client, "let kept = 20\nkept + 1")
    hold(content["status"] == "ok" and result(seen) == ["21"], "an F# cell gives its last value")
    _, seen = run(client, 'for i in 1..3 do printfn "%d" i')
    hold(text(seen) == "1\n2\n3\n", "printfn arrives")
    content, _ = run(client, 'let one = 1\nif one = 1 then failwith "on purpose"')
    hold(content["evalue"] == "on purpose" and "line 2" in "\n".join(content["traceback"]), "failwith names its line in the cell")
    interrupted(client, manager.interrupt_kernel, 'printfn "on"\nwhile true do ()', "interrupt_request ends an endless loop in F#")
    completed = client.complete("[1].Leng", reply=True, timeout=PATIENCE)["content"]
    hold("Length" in completed["matches"], "completion in F#")
    inspected = client.inspect("List.map", reply=True, timeout=PATIENCE)["content"]
    hold(inspected["found"] and "mapping" in inspected["data"]["text/plain"], "hover in F#")
    hold(result(run(client, "kept")[1]) == ["20"], "the variables are still there in F#")
    _, seen = run(client, '#!csharp\nvar shout = "song".ToUpper(); shout')
    hold(result(seen) in (["SONG"], ['"SONG"']), "a C# cell in an F# notebook")


def orphan():
    """A kernel ends soon after the program that started it was killed."""
    code = (
        "from jupyter_client.manager import start_new_kernel\n"
        f"m, c = start_new_kernel(startup_timeout={PATIENCE}, kernel_name='{CSHARP}')\n"
        "print(m.provisioner.pid, flush=True)\n"
        "import time; time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    kernel = int(parent.stdout.readline())
    hold(is_alive(kernel), "a kernel runs while its parent does")
    parent.kill()
    parent.wait()
    for _ in range(100):
        if not is_alive(kernel):
            break
        time.sleep(0.1)
    hold(not is_alive(kernel), "a kernel ends when its parent is killed")


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return ") Z " not in f.read()
    except FileNotFoundError:
        return False


def main():
    for name, checks in ((CSHARP, csharp), (FSHARP, fsharp)):
        manager, client = start_new_kernel(startup_timeout=PATIENCE, kernel_name=name)
        try:
            checks(manager, client)
            started = time.monotonic()
            manager.shutdown_kernel()
            hold(time.monotonic() - started < manager.shutdown_wait_time, "shutdown needs no signal")
        finally:
            client.stop_channels()
            if manager.has_kernel:
                manager.shutdown_kernel(now=True)
    orphan()


if __name__ == "__main__":
    main()
