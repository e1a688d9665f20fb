"""Write lines to the messages file as they are given on standard input of this file: what no honest client sends."""

import base64
import json
import os
import sys
import zlib

params = json.loads(zlib.decompress(base64.b64decode(os.environ["DAGSTER_PIPES_MESSAGES"])))
with open(params["path"], "ab", buffering=0) as out:
    for line in sys.argv[1:]:
        out.write(line.encode("utf-8", "surrogateescape"))
