"""A server of shop.user.v1.UserService that is none of ours. Answers with a user who is called as the caller's certificate is.

server.py FOLDER ALLOWED

FOLDER has roots.pem, leaf.pem and key.pem, which may change: new connections go by what is there then. ALLOWED is the SPIFFE
id of the one service that may call. Prints the port with TLS, and the one for the agent's check, which shows no certificate.
"""

import sys
from concurrent import futures
from pathlib import Path

import grpc

folder, allowed = Path(sys.argv[1]), sys.argv[2].encode()
shown: tuple[bytes, ...] = ()


def fetch() -> grpc.ServerCertificateConfiguration | None:
    """What is shown from now on; None: the same as before. Asked at each handshake."""
    global shown
    now = tuple((folder / name).read_bytes() for name in ("key.pem", "leaf.pem", "roots.pem"))
    if now == shown:
        return None
    shown = now
    key, leaf, roots = now
    return grpc.ssl_server_certificate_configuration([(key, leaf)], roots)


def field(number: int, value: bytes) -> bytes:
    """A field of a message that is text or a message, and shorter than 128 bytes."""
    return bytes([number << 3 | 2, len(value)]) + value


def get_user(_request: bytes, context: grpc.ServicerContext) -> bytes:
    # gRPC fills it in where the certificate has one URI that is a SPIFFE id; TLS has followed its chain to the roots.
    [caller] = context.auth_context().get("peer_spiffe_id", [b""])
    if caller != allowed:
        context.abort(grpc.StatusCode.PERMISSION_DENIED, f"{caller.decode()} may not call")
    return field(1, field(1, b"demo") + field(3, caller))


def check(_request: bytes, _context: grpc.ServicerContext) -> bytes:
    return b"\x08\x01"  # SERVING


def serve(service: str, **methods) -> grpc.Server:
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    handlers = {name: grpc.unary_unary_rpc_method_handler(method) for name, method in methods.items()}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    return server


users = serve("shop.user.v1.UserService", GetUser=get_user)
port = users.add_secure_port("127.0.0.1:0", grpc.dynamic_ssl_server_credentials(fetch(), fetch, require_client_authentication=True))
health = serve("grpc.health.v1.Health", Check=check)
health_port = health.add_insecure_port("127.0.0.1:0")
users.start()
health.start()
print(port, health_port, flush=True)
users.wait_for_termination()
