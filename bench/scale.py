#!/usr/bin/env python3
"""Measures what many roles cost: start to ready, memory, and how long GetRole, a page of ListRoles and GetCallerIdentity take,
with 1,000, 10,000 and 100,000 roles of ten attached policies each.

  cargo build --release -p daypass -p daypass-store --example fill --bins
  bench/scale.py [--binary target/release/daypass] [--fill target/release/examples/fill] [--roles 1000 10000 100000]

Figures depend on the machine: compare the rows of one run. Of the times, the median and the least; beside them the CPU time that
the server used for a call, which other programs on the machine disturb least.
"""
import argparse, contextlib, json, os, random, re, shutil, signal, statistics, subprocess, tempfile, time, urllib.parse

from server import ask, connect, cpu, memory_mib, session as session_of, signed, start

MANAGED = os.path.join(os.path.dirname(__file__), "../crates/core/data/aws-managed-policies.jsonl")
STARTS = 3


def arns():
    policies = map(json.loads, open(MANAGED))
    return "\n".join(f"arn:aws:iam::aws:policy{policy['path']}{policy['name']}" for policy in policies)


@contextlib.contextmanager
def running(arguments, data):
    """A server, and what it took until it was ready: seconds, and seconds of CPU."""
    server, took = start(arguments.binary, data, arguments.port)
    try:
        yield server, (took, cpu(server.pid))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()


class Measured:
    """Times calls of one kind."""

    def __init__(self, server, connection):
        self.server, self.connection, self.took = server, connection, []

    def __enter__(self):
        self.cpu = cpu(self.server.pid)
        return self

    def __exit__(self, *_):
        self.cpu = cpu(self.server.pid) - self.cpu

    def ask(self, message, operation):
        began = time.perf_counter()
        answer = ask(self.connection, message, operation)
        self.took.append(time.perf_counter() - began)
        return answer

    def row(self):
        took = [1e3 * seconds for seconds in self.took]
        return f"{statistics.median(took):.2f} ({min(took):.2f}; {self.cpu / len(took) * 1e3:.2f})"


def get_roles(measured, sign, roles, calls):
    dice = random.Random(1)
    messages = [sign("iam", f"Action=GetRole&Version=2010-05-08&RoleName=role-{dice.randrange(roles):07}") for _ in range(calls)]
    with measured:
        for message in messages:
            measured.ask(message, "GetRole")


def list_pages(measured, sign, roles, pages):
    """One page after the other, from the first role on."""
    marker, seen = "", 0
    with measured:
        for _ in range(pages):
            answer = measured.ask(sign("iam", "Action=ListRoles&Version=2010-05-08&MaxItems=100" + marker), "ListRoles")
            seen += answer.count(b"<RoleName>")
            found = re.search(rb"<Marker>([^<]+)</Marker>", answer)
            marker = "&Marker=" + urllib.parse.quote(found.group(1), safe="") if found else ""
    assert seen >= min(roles, pages * 100), f"{seen} roles on {pages} pages"


def get_caller(measured, sign, calls):
    message = sign("sts", "Action=GetCallerIdentity&Version=2011-06-15")
    with measured:
        for _ in range(calls):
            measured.ask(message, "GetCallerIdentity")


def measure(arguments, data, roles):
    starts = []
    for _ in range(STARTS):
        with running(arguments, data) as (_, took):
            starts.append(took)
    with running(arguments, data) as (server, took):
        wall, used = (1e3 * min(values) for values in zip(*starts, took))
        cells = [f"{wall:.0f} ({used:.0f})", f"{memory_mib(server.pid):.1f}", *ask_all(arguments, server, roles)]
    size = os.path.getsize(f"{data}/state.db") / 2**20
    print(f"| {roles:,} | {' | '.join(cells)} | {size:.0f} |", flush=True)


def ask_all(arguments, server, roles):
    """What calls of each kind take, and the memory after them."""
    endpoint, session = f"http://127.0.0.1:{arguments.port}", session_of(arguments.binary)
    connection = connect(arguments.port)

    def sign(service, body):
        return signed(endpoint, session, service, body)

    ask(connection, sign("sts", "Action=GetCallerIdentity&Version=2011-06-15"), "GetCallerIdentity")
    kinds = [Measured(server, connection) for _ in range(3)]
    get_roles(kinds[0], sign, roles, arguments.calls)
    list_pages(kinds[1], sign, roles, max(10, arguments.calls // 20))
    get_caller(kinds[2], sign, arguments.calls)
    return [f"{memory_mib(server.pid):.1f}", *(kind.row() for kind in kinds)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default="target/release/daypass", type=os.path.abspath)
    parser.add_argument("--fill", default="target/release/examples/fill", type=os.path.abspath)
    parser.add_argument("--roles", nargs="+", type=int, default=[1_000, 10_000, 100_000])
    parser.add_argument("--attachments", type=int, default=10, help="policies attached to each role")
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--port", type=int, default=4691)
    arguments = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="daypass-scale-")
    data, filled = f"{folder}/data", 0
    os.environ["DAYPASS_DATA"] = data
    with running(arguments, data):
        pass
    print("| roles | start ms (CPU) | memory MiB | after the calls | GetRole ms (least; CPU) | ListRoles page of 100 | GetCallerIdentity | state.db MiB |")
    print("|" + " --- |" * 8)
    for roles in sorted(arguments.roles):
        subprocess.run([arguments.fill, data, str(filled), str(roles - filled), str(arguments.attachments)],
                       input=arns().encode(), check=True)
        filled = roles
        measure(arguments, data, roles)
    shutil.rmtree(folder, ignore_errors=True)


main()
