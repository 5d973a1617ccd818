"""Calls a service of the mesh once, and says as JSON what came of it.

client.py FOLDER ADDRESS:PORT SERVICE PATH REQUEST [none]

FOLDER has roots.pem, and leaf.pem with key.pem of the caller, which `none` leaves out. SERVICE is whom it means to call,
PATH the method, REQUEST its message in hex: stubs would come from the contract, and are nothing to do with the way there.
"""

import json
import sys
from pathlib import Path

import grpc

folder, target, service, path, request = sys.argv[1:6]


def read(name: str) -> bytes:
    return (Path(folder) / name).read_bytes()


own = () if sys.argv[6:] == ["none"] else (read("key.pem"), read("leaf.pem"))
credentials = grpc.ssl_channel_credentials(read("roots.pem"), *own)
# The target is an address, as the registry has it; the name in the certificate is the service's.
options = (("grpc.ssl_target_name_override", f"{service}.service.consul"), ("grpc.enable_http_proxy", 0))
with grpc.secure_channel(target, credentials, options) as channel:
    try:
        answer = channel.unary_unary(path)(bytes.fromhex(request), timeout=5)
        outcome = {"code": "OK", "details": "", "answer": answer.hex()}
    except grpc.RpcError as error:
        outcome = {"code": error.code().name, "details": error.details(), "answer": ""}
print(json.dumps(outcome))
