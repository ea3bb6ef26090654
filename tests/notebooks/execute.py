"""Executes a notebook with nbclient and writes the copy with its outputs: execute.py IN OUT [KERNEL]"""

import os
import sys

import nbformat
from nbclient import NotebookClient

source, target, *kernel = sys.argv[1:]
notebook = nbformat.read(source, as_version=4)
NotebookClient(
    notebook,
    timeout=600,
    kernel_name=kernel[0] if kernel else notebook.metadata.kernelspec.name,
    resources={"metadata": {"path": os.path.dirname(os.path.abspath(source))}},
).execute()
nbformat.validate(notebook)
nbformat.write(notebook, target)
