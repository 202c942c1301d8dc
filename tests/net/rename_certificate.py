#!/usr/bin/env python3
"""Forges an identity: gives its certificate another name of the same length.

    rename_certificate.py FILE.zs FROM TO

The signature stays what it was, and does not match any more. The file becomes
one of version 1, which has no checksum.
"""
import base64
import re
import sys

path, old, new = sys.argv[1], sys.argv[2].encode(), sys.argv[3].encode()
assert len(old) == len(new)
with open(path) as file:
    text = file.read()
field = re.search(r"^certificate: *(\S+)$", text, re.MULTILINE)
certificate = base64.b64decode(field[1])
assert certificate.count(old) == 1
forged = base64.b64encode(certificate.replace(old, new)).decode()
text = re.sub(r"^checksum:.*\n", "", text, flags=re.MULTILINE)
text = re.sub(r"^version: 2$", "version: 1", text, flags=re.MULTILINE)
with open(path, "w") as file:
    file.write(text.replace(field[1], forged)
               .replace(f"name: {sys.argv[2]}\n", f"name: {sys.argv[3]}\n"))
