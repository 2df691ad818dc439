"""Calls a gRPC service through the data plane, with the client and the server of grpcio.

stream.py ADDRESS reads the simulator's first line from standard input. ADDRESS is where its services are.
"""

import concurrent.futures
import json
import socket
import sys
import time

import boto3
import grpc

PORT = 8080
# Seconds that a call may take.
LIMIT = 20
# No proxy that the environment names, and room for large messages.
OPTIONS = [("grpc.enable_http_proxy", 0), ("grpc.max_receive_message_length", 16 << 20)]


def echo(request, context):
    """Answers with the request, and with what came beside it."""
    received = dict(context.invocation_metadata())
    context.send_initial_metadata([("x-first", received.get("x-asked", ""))])
    context.set_trailing_metadata([("x-last-bin", b"\0\1")])
    return request


def count(request, _context):
    for number in range(int(request)):
        yield b"%d" % number


def join(requests, _context):
    return b"".join(requests)


def each(requests, _context):
    yield from requests


def fail(_request, context):
    context.abort(grpc.StatusCode.NOT_FOUND, "nothing is there: \N{SNOWMAN}")


def sleep(_request, context):
    while context.is_active():
        time.sleep(0.05)
    return b""


def serve():
    """Starts a server on a port of its own."""
    methods = {
        "Echo": grpc.unary_unary_rpc_method_handler(echo),
        "Count": grpc.unary_stream_rpc_method_handler(count),
        "Join": grpc.stream_unary_rpc_method_handler(join),
        "Each": grpc.stream_stream_rpc_method_handler(each),
        "Fail": grpc.unary_unary_rpc_method_handler(fail),
        "Sleep": grpc.unary_unary_rpc_method_handler(sleep),
    }
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=8), options=OPTIONS)
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("test.Test", methods)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def forward(ready, target):
    """Makes a service that forwards to a target, and returns its name."""
    account = ready["accounts"][0]
    lattice = boto3.client(
        "vpc-lattice",
        endpoint_url=ready["endpoint"],
        region_name=ready["region"],
        aws_access_key_id=account["access_key_id"],
        aws_secret_access_key=account["secret_access_key"],
    )
    group = lattice.create_target_group(
        name="grpc",
        type="IP",
        config={
            "port": target,
            "protocol": "HTTP",
            "protocolVersion": "GRPC",
            "vpcIdentifier": "vpc-12345678",
            "healthCheck": {"enabled": False},
        },
    )["id"]
    lattice.register_targets(targetGroupIdentifier=group, targets=[{"id": "127.0.0.1", "port": target}])
    service = lattice.create_service(name="grpc")
    lattice.create_listener(
        serviceIdentifier=service["id"],
        name="grpc",
        protocol="HTTP",
        port=PORT,
        defaultAction={"forward": {"targetGroups": [{"targetGroupIdentifier": group}]}},
    )
    return service["dnsEntry"]["domainName"]


def wait_until_open(address):
    for _ in range(200):
        try:
            socket.create_connection((address, PORT), timeout=5).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"nothing listens at {address}:{PORT}")


def check(what, got, expected):
    if got != expected:
        sys.exit(f"{what}: {got!r:.200} instead of {expected!r:.200}")


def refused(call):
    """The status and the details of the error that a call ends in."""
    try:
        call()
    except grpc.RpcError as error:
        return error.code(), error.details()
    return None, None


def try_out(channel):
    """Makes calls of each kind."""
    metadata = [("x-asked", "something")]
    unary = channel.unary_unary("/test.Test/Echo")
    for message in (b"", b"hello", bytes(3 << 20)):
        answer, call = unary.with_call(message, metadata=metadata, timeout=LIMIT)
        check("the message", answer, message)
        check("metadata before it", dict(call.initial_metadata()).get("x-first"), "something")
        check("metadata after it", dict(call.trailing_metadata()).get("x-last-bin"), b"\0\1")
    answer = unary(bytes(1 << 20), compression=grpc.Compression.Gzip, timeout=LIMIT)
    check("the compressed message", answer, bytes(1 << 20))
    counted = list(channel.unary_stream("/test.Test/Count")(b"1000", timeout=LIMIT))
    check("messages from the server", counted, [b"%d" % number for number in range(1000)])
    joined = channel.stream_unary("/test.Test/Join")(iter([b"a", b"b", b"c"]), timeout=LIMIT)
    check("messages to the server", joined, b"abc")
    both = list(channel.stream_stream("/test.Test/Each")(iter([b"a", b"b", b"c"]), timeout=LIMIT))
    check("messages both ways", both, [b"a", b"b", b"c"])
    fails = channel.unary_unary("/test.Test/Fail")
    expected = (grpc.StatusCode.NOT_FOUND, "nothing is there: \N{SNOWMAN}")
    check("an error", refused(lambda: fails(b"", timeout=LIMIT)), expected)
    unknown = channel.unary_unary("/test.Test/Unknown")
    check("no such method", refused(lambda: unknown(b"", timeout=LIMIT))[0], grpc.StatusCode.UNIMPLEMENTED)
    sleeps = channel.unary_unary("/test.Test/Sleep")
    check("a deadline", refused(lambda: sleeps(b"", timeout=0.3))[0], grpc.StatusCode.DEADLINE_EXCEEDED)
    given_up = sleeps.future(b"", timeout=LIMIT)
    given_up.cancel()
    check("giving up", given_up.code(), grpc.StatusCode.CANCELLED)
    check("the same connection afterwards", unary(b"again", timeout=LIMIT), b"again")
    with concurrent.futures.ThreadPoolExecutor(max_workers=50) as pool:
        messages = [b"%d" % number for number in range(500)]
        answers = list(pool.map(lambda message: unary(message, timeout=LIMIT), messages))
    check("calls at the same time", answers, messages)


def main():
    address = sys.argv[1]
    server, target = serve()
    name = forward(json.loads(sys.stdin.readline()), target)
    wait_until_open(address)
    options = [*OPTIONS, ("grpc.default_authority", name)]
    with grpc.insecure_channel(f"ipv4:{address}:{PORT}", options=options) as channel:
        try_out(channel)
    # Nothing waits for a call that was given up: it has been told.
    server.stop(grace=LIMIT).wait(LIMIT / 2) or sys.exit("a call that was given up goes on")


main()
