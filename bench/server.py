"""A server of one's own to measure: start it, ask it, see what it uses."""
import json, os, socket, subprocess, sys, time, urllib.request

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

TICK = os.sysconf("SC_CLK_TCK")


def ready(port):
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/_daypass/health", timeout=1).status == 200
    except OSError:
        return False


def start(binary, data, port):
    """The server, and the seconds until it was ready."""
    began = time.perf_counter()
    server = subprocess.Popen([binary, "up", "--data", data, "--listen", f"127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not ready(port):
        if server.poll() is not None:
            sys.exit("the server does not start")
        time.sleep(0.001)
    return server, time.perf_counter() - began


def cpu(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory_mib(pid):
    """Of the server and of its privileged child, proportional: what they share counts once."""
    total = 0
    for process in [pid, *map(int, open(f"/proc/{pid}/task/{pid}/children").read().split())]:
        total += sum(int(l.split()[1]) for l in open(f"/proc/{process}/smaps_rollup") if l.startswith("Pss:"))
    return total / 1024


def session(binary):
    """Credentials of the administrator, of the server whose folder `DAYPASS_DATA` names."""
    env = json.loads(subprocess.check_output([binary, "env", "--format", "json", "--duration", "7200"]))
    return {"access_key_id": env["AWS_ACCESS_KEY_ID"], "secret_access_key": env["AWS_SECRET_ACCESS_KEY"],
            "session_token": env["AWS_SESSION_TOKEN"], "region": env["AWS_REGION"]}


def signed(endpoint, session, service, body):
    """The bytes of a signed POST."""
    request = AWSRequest("POST", endpoint + "/", data=body.encode(),
                         headers={"Content-Type": "application/x-www-form-urlencoded; charset=utf-8", "Host": endpoint.split("//")[1]})
    SigV4Auth(Credentials(session["access_key_id"], session["secret_access_key"], session["session_token"]), service, session["region"]).add_auth(request)
    head = "".join(f"{k}: {v}\r\n" for k, v in request.headers.items())
    body = request.data if isinstance(request.data, bytes) else request.data.encode()
    return f"POST / HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def connect(port):
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def ask(connection, message, operation):
    """Sends a message; the answer, which must be that of the operation."""
    connection.sendall(message)
    answer = b""
    while f"</{operation}Response>".encode() not in answer:
        part = connection.recv(65536)
        if not part or b"HTTP/1.1 200" not in (answer or part)[:15]:
            sys.exit(f"{operation} failed: {part[:300]}")
        answer += part
    return answer
