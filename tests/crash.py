#!/usr/bin/env python3
"""What the real program does when the machine fails it. Each part starts servers of its own in a directory of its own, and ends
with 'N passed, N failed'.

  tests/crash.py kill        [--rounds 30]   kill -9 at random moments under mixed load, and while it starts
  tests/crash.py sync-errors [--rounds 10]   fsync and fdatasync that fail (strace)
  tests/crash.py write-errors [--rounds 10]  writes that fail (strace)
  tests/crash.py full-disk                   a file system of 400 MiB that fills up (root, for the mount)
  tests/crash.py flips       [--rounds 50]   single flipped bits in the files of a server that was stopped, or killed
  tests/crash.py backup      [--rounds 5]    backups under load, restored and compared
  … [--binary target/release/daypass] [--port 5165] [--seed 1]

What was acknowledged must be there, whole; what was not acknowledged may be there, whole, or not at all.
"""
import argparse, hashlib, json, os, random, shutil, signal, sqlite3, subprocess, sys, tempfile, threading, time
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

SIZES = [0, 90, 700, 4096, 70_000, 300_000, 1_500_000]
WRITERS, KEYS, BUCKET = 5, 4, "crash-test"


class Server:
    def __init__(self, binary, data, port, options=()):
        self.binary, self.data, self.port, self.options, self.process = binary, data, port, options, None

    def start(self, wrapper=()):
        self.log = open(self.data.rstrip("/") + ".log", "ab")
        command = [*wrapper, self.binary, "up", "--data", self.data, "--listen", f"127.0.0.1:{self.port}", *self.options]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)
        end = time.time() + 120
        while time.time() < end and self.process.poll() is None:
            # asked by its own socket: on the port another server might answer
            status = subprocess.run([self.binary, "status", "--data", self.data], capture_output=True)
            if status.returncode == 0:
                return self
            time.sleep(0.02)
        raise RuntimeError(f"the server does not start: see {self.log.name}")

    def pid(self):
        """The server's own, behind a wrapper too."""
        with open(f"{self.data}/lock") as lock:
            return int(lock.read())

    def kill(self):
        os.kill(self.pid(), signal.SIGKILL)
        self.process.wait()

    def kill_while_it_starts(self, seconds):
        command = [self.binary, "up", "--data", self.data, "--listen", f"127.0.0.1:{self.port}", *self.options]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)
        time.sleep(seconds)
        self.process.kill()
        self.process.wait()

    def stop(self):
        os.kill(self.pid(), signal.SIGTERM)
        self.process.wait()

    def client(self, service="s3"):
        return self.clients(service)[0]

    def clients(self, *services):
        text = subprocess.run([self.binary, "env", "--data", self.data, "--format", "json"], check=True, capture_output=True).stdout
        env = json.loads(text)
        return [boto3.client(
            service, endpoint_url=env["AWS_ENDPOINT_URL"], region_name="us-east-1", aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"], aws_session_token=env["AWS_SESSION_TOKEN"],
            config=Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=60, max_pool_connections=WRITERS + 2)) for service in services]

    def fsck(self, *more, data=None):
        done = subprocess.run([self.binary, "fsck", "--data", data or self.data, "--output", "json", *more], capture_output=True, text=True)
        return done.returncode, json.loads(done.stdout) if done.stdout else {"findings": [{"what": done.stderr}]}

    def unsound(self):
        """What fsck finds; it must also say so by its status."""
        status, report = self.fsck()
        found = [finding["what"] for finding in report["findings"]]
        return found if bool(found) == bool(status) else [*found, f"fsck ended with {status}"]


def sum_of(body):
    return hashlib.sha256(body).hexdigest()


def get(s3, key):
    """The body, and what is wrong with it by itself: each object says in its metadata what its bytes are."""
    answer = s3.get_object(Bucket=BUCKET, Key=key)
    body = answer["Body"].read()
    said = answer["Metadata"].get("sum")
    torn = [] if said in (None, sum_of(body)) else [f"{key}: {len(body)} bytes, which are not what its metadata says"]
    return body, torn


class Load:
    """Writers that know what their keys must hold: the last acknowledged change, or the one that was under way. Keys are objects
    and, where there is a client of IAM, users, who hold their path."""

    def __init__(self, seed):
        self.random, self.held, self.open, self.acknowledged, self.refused = random.Random(seed), {}, {}, 0, 0
        # what was sent since somebody asked for it, by key; and what a reader found torn meanwhile
        self.sent, self.torn, self.read, self.users = None, [], 0, 0
        # the requests that were answered, reads and refusals too, since somebody asked for their records
        self.answered, self.recorded = [], 0

    def run(self, s3, seconds, before_end=lambda: None, iam=None):
        stop = threading.Event()
        for client in filter(None, (s3, iam)):
            client.meta.events.register("after-call", lambda parsed, **_: self.answered.append(parsed["ResponseMetadata"]["RequestId"]))
        seeds = [self.random.random() for _ in range(WRITERS)]
        with ThreadPoolExecutor(WRITERS + 1) as pool:
            threads = [pool.submit(self.write, s3, iam, writer, random.Random(seeds[writer]), stop) for writer in range(WRITERS)]
            threads.append(pool.submit(self.look, s3, random.Random(seeds[0]), stop))
            time.sleep(seconds)
            before_end()
            stop.set()
        for thread in threads:
            thread.result()

    def look(self, s3, chance, stop):
        """Reads what is written: an object is never torn, not for a moment either."""
        while not stop.is_set():
            try:
                self.torn += get(s3, chance.choice(self.keys()))[1]
                self.read += 1
            except s3.exceptions.NoSuchKey:
                pass
            except (BotoCoreError, ClientError):
                return

    def write(self, s3, iam, writer, chance, stop):
        while not stop.is_set():
            key = f"{writer}/{chance.randrange(KEYS)}"
            what = chance.choice(["put"] * 6 + ["parts", "copy", "delete", "delete"] + ["user"] * (2 if iam else 0))
            body = chance.randbytes(chance.choice(SIZES))
            if what == "copy":
                source = f"{writer}/{chance.randrange(KEYS)}"
                body = self.held.get(source)
                if body is None or source == key:
                    continue
            if what == "user":
                key = "user-" + key.replace("/", "-")
                body = None if key in self.held else f"/{chance.randrange(1_000_000)}/"
            body = None if what == "delete" else body
            self.open[key] = body
            if (sent := self.sent) is not None:
                sent.setdefault(key, []).append(body)
            try:
                if what == "user":
                    iam.create_user(UserName=key, Path=body) if body else iam.delete_user(UserName=key)
                else:
                    self.make(s3, what, key, body, source if what == "copy" else None)
            except (BotoCoreError, ClientError):
                # not acknowledged: whether it happened is seen when the server is back
                self.refused += 1
                return
            self.held[key] = body
            del self.open[key]
            self.acknowledged += 1
            self.users += what == "user"

    def make(self, s3, what, key, body, source):
        metadata = {"sum": sum_of(body)} if body is not None else {}
        if what == "put":
            s3.put_object(Bucket=BUCKET, Key=key, Body=body, Metadata=metadata)
        elif what == "copy":
            s3.copy_object(Bucket=BUCKET, Key=key, CopySource={"Bucket": BUCKET, "Key": source})
        elif what == "delete":
            s3.delete_object(Bucket=BUCKET, Key=key)
        else:
            upload = s3.create_multipart_upload(Bucket=BUCKET, Key=key, Metadata=metadata)["UploadId"]
            tag = s3.upload_part(Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=1, Body=body)["ETag"]
            s3.complete_multipart_upload(Bucket=BUCKET, Key=key, UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": tag}]})

    def watch(self):
        """From now on what is sent is kept; what each key may hold at this moment."""
        self.sent = {}
        # in this order: what is under way moves from the one to the other
        open, held = dict(self.open), dict(self.held)
        return {key: [held.get(key)] + ([open[key]] if key in open else []) for key in self.keys()}

    def keys(self):
        return [f"{w}/{k}" for w in range(WRITERS) for k in range(KEYS)]

    def judge(self, s3, iam=None):
        """What is wrong, if anything; what was under way is known after this."""
        wrong, self.torn = self.torn, []
        listed = {o["Key"]: o["Size"] for o in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])}
        wrong += [f"{key}: is listed, and nobody made it" for key in listed if key not in self.keys()]
        found = {}
        for key in self.keys():
            try:
                found[key], torn = get(s3, key)
                wrong += torn
            except s3.exceptions.NoSuchKey:
                found[key] = None
            if listed.get(key) != (None if found[key] is None else len(found[key])):
                wrong.append(f"{key}: listed with {listed.get(key)} bytes")
        if iam:
            found.update({user["UserName"]: user["Path"] for user in iam.list_users()["Users"]})
        for key in {*found, *self.held, *self.open}:
            body, allowed = found.get(key), [self.held.get(key)] + ([self.open[key]] if key in self.open else [])
            if body not in allowed:
                length = lambda body: None if body is None else len(body)
                wrong.append(f"{key}: holds {length(body)} bytes, not one of {[length(body) for body in allowed]}")
        self.open.clear()
        self.held = {key: body for key, body in found.items() if body is not None}
        return wrong


    def unrecorded(self, data):
        """What of all that was answered the audit log does not hold, once each; those of objects come to it within a second."""
        log, end = sqlite3.connect(f"file:{data}/state.db?mode=ro", uri=True), time.time() + 20
        found = {}
        while self.answered and time.time() < end:
            found = {request: log.execute("SELECT count(*) FROM audit WHERE request_id = ?", (request,)).fetchone()[0] for request in self.answered}
            if all(count == 1 for count in found.values()):
                break
            time.sleep(0.2)
        log.close()
        self.recorded, self.answered = self.recorded + len(found), []
        return [f"request {request} has {count} audit records" for request, count in found.items() if count != 1]


class Tally:
    def __init__(self):
        self.passed = self.failed = 0

    def count(self, words, wrong):
        if wrong:
            self.failed += 1
            print(f"not ok {words}: " + "; ".join(wrong[:5]), flush=True)
        else:
            self.passed += 1

    def end(self, *more):
        print(*more, f"{self.passed} passed, {self.failed} failed", sep="\n")
        return 1 if self.failed or not self.passed else 0


def so_far(round, every, tally):
    if (round + 1) % every == 0:
        print(f"# round {round + 1}: {tally.passed} passed, {tally.failed} failed so far", flush=True)


def killed(server, a, tally):
    """Kills the server in the middle of a load, and sometimes once more while it starts, and judges it each time that it is back."""
    load, starting = Load(a.seed), 0
    server.start()
    server.client().create_bucket(Bucket=BUCKET)
    for round in range(a.rounds):
        before = load.acknowledged

        def strike():
            end = time.time() + 30
            while load.acknowledged == before and time.time() < end:
                time.sleep(0.005)
            server.kill()

        s3, iam = server.clients("s3", "iam")
        load.run(s3, load.random.uniform(0.05, 1.5), strike, iam)
        # what another server starts on; later than that nothing looks at it before it is repaired
        unsound = server.unsound() if round % 10 == 9 else []
        while load.random.random() < 0.3:
            starting += 1
            server.kill_while_it_starts(load.random.uniform(0, 0.3))
        server.start()
        nothing = [] if load.acknowledged > before else ["nothing was acknowledged: nothing was tested"]
        wrong = unsound + nothing + load.unrecorded(server.data)
        tally.count(f"round {round}", wrong + load.judge(*server.clients("s3", "iam")))
        so_far(round, 100, tally)
    server.stop()
    tally.count("fsck finds nothing, no leftovers either", server.unsound())
    tally.count("objects were read and users made meanwhile", [] if load.read and load.users else [f"{load.read} and {load.users}"])
    return f"{load.acknowledged} changes acknowledged, {load.users} of them of users, {load.refused} under way when the server was killed; {load.read} objects read meanwhile; {load.recorded} answers, each with its record; {starting} kills while it started"


def injected(server, a, tally, calls, within):
    """System calls that fail from the n-th of a thread on, or only that once."""
    load, seen = Load(a.seed), 0
    server.start()
    server.client().create_bucket(Bucket=BUCKET)
    server.stop()
    for round in range(a.rounds):
        first = load.random.randrange(*within)
        when = f"{first}+" if round % 2 else str(first)
        trace = ["strace", "-f", "--seccomp-bpf", "-qq", "-o", os.devnull, "-e", f"trace={calls}", "-e", f"inject={calls}:error=EIO:when={when}"]
        try:
            server.start(trace)
            before = load.refused
            s3, iam = server.clients("s3", "iam")
            load.run(s3, 4, iam=iam)
            seen += load.refused > before
            server.kill()
        except (RuntimeError, subprocess.CalledProcessError, ClientError, BotoCoreError):
            # it failed while it started: then nothing was acknowledged
            if server.process.poll() is None:
                server.kill()
        server.start()
        tally.count(f"round {round}, {calls} fails from {when}", load.judge(*server.clients("s3", "iam")))
        server.stop()
        tally.count(f"round {round}, fsck", server.unsound())
    if not seen:
        tally.count("a failure reached a client", ["none did: nothing was tested"])
    return f"{load.acknowledged} changes acknowledged; in {seen} of {a.rounds} rounds clients saw failures"


def sync_errors(server, a, tally):
    said = injected(server, a, tally, "fsync,fdatasync", (4, 40))
    nothing_syncs(server, tally)
    return said


def write_errors(server, a, tally):
    said = injected(server, a, tally, "pwrite64", (60, 400))
    nothing_is_recorded(server, tally)
    return said


def nothing_is_recorded(server, tally):
    """From a moment on no audit record of a read can be written: what is read has its record all the same, or is refused."""
    load, refused = Load(1), 0
    server.start()
    s3 = server.client()
    s3.put_object(Bucket=BUCKET, Key="read", Body=b"x")
    s3.meta.events.register("after-call", lambda parsed, http_response, **_: http_response.status_code < 300 and load.answered.append(parsed["ResponseMetadata"]["RequestId"]))
    journals = [part for number in (0, 1) for part in ("-P", f"{server.data}/audit-{number}.journal")]
    trace = None
    for number in range(70):
        if number == 20:
            trace = traced(server, "write,pwrite64,writev,pwritev", *journals)
        try:
            s3.get_object(Bucket=BUCKET, Key="read")
        except (ClientError, BotoCoreError):
            refused += 1
    tally.count("reads are refused while none can be recorded", [] if refused else ["none was"])
    server.kill()
    trace.wait()
    server.start()
    tally.count("what was answered meanwhile", load.unrecorded(server.data))
    before = s3.get_object(Bucket=BUCKET, Key="read")["ResponseMetadata"]["RequestId"]
    load.answered.append(before)
    tally.count("what is read after a start", load.unrecorded(server.data))
    server.stop()


def traced(server, calls, *more):
    """strace on every thread of the server, whose calls fail from now on."""
    command = ["strace", "-f", "-qq", "-o", os.devnull, *more, "-e", f"trace={calls}", "-e", f"inject={calls}:error=EIO", "-p", str(server.pid())]
    trace, tasks = subprocess.Popen(command), f"/proc/{server.pid()}/task"
    is_traced = lambda task: "TracerPid:\t0\n" not in open(f"{tasks}/{task}/status").read()
    while not all(map(is_traced, os.listdir(tasks))):
        time.sleep(0.05)
    return trace


def nothing_syncs(server, tally):
    """From a moment on every sync fails. What a kill leaves is in the machine's memory all the same, so a lost change would not
    be seen: but nothing may be acknowledged any more. Reading goes on, and has its records after the next start."""
    load = Load(1)
    server.start()
    s3, iam, sts = server.clients("s3", "iam", "sts")
    bodies = {f"sync/{size}": b"x" * size for size in SIZES[1:]}
    for key, body in bodies.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    trace = traced(server, "fsync,fdatasync,sync_file_range,msync,syncfs")
    asked = [(f"put of {size} bytes", lambda size=size: s3.put_object(Bucket=BUCKET, Key=f"unsynced/{size}", Body=b"y" * size)) for size in SIZES]
    asked += [("delete", lambda: s3.delete_object(Bucket=BUCKET, Key="sync/90")), ("user", lambda: iam.create_user(UserName="unsynced")),
              ("copy", lambda: s3.copy_object(Bucket=BUCKET, Key="unsynced/copy", CopySource={"Bucket": BUCKET, "Key": "sync/70000"})),
              ("upload", lambda: s3.create_multipart_upload(Bucket=BUCKET, Key="unsynced/upload"))]
    for what, ask in asked:
        try:
            ask()
            tally.count(f"{what} while no sync succeeds", ["it is acknowledged"])
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            tally.count(f"{what} while no sync succeeds", [] if status in (500, 503, 507) else [str(error)])
        except BotoCoreError as error:
            tally.count(f"{what} while no sync succeeds", [f"no answer: {error}"])
    for client in (s3, iam, sts):
        client.meta.events.register("after-call", lambda parsed, http_response, **_: http_response.status_code < 300 and load.answered.append(parsed["ResponseMetadata"]["RequestId"]))
    reads = [(key, lambda key=key, body=body: s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == body) for key, body in bodies.items()]
    reads += [("a list", lambda: s3.list_objects_v2(Bucket=BUCKET, Prefix="sync/")["KeyCount"] == len(bodies)),
              ("users", lambda: "unsynced" not in [user["UserName"] for user in iam.list_users()["Users"]]),
              ("who one is", lambda: bool(sts.get_caller_identity()["Arn"]))]
    for what, read in reads:
        try:
            tally.count(f"{what} while no sync succeeds", [] if read() else ["wrong"])
        except (ClientError, BotoCoreError) as error:
            tally.count(f"{what} while no sync succeeds", [str(error)])
    server.kill()
    trace.wait()
    server.start()
    tally.count("the records of what was read meanwhile", load.unrecorded(server.data) if len(load.answered) >= len(reads) else ["nothing was"])
    s3 = server.client()
    # the delete was not acknowledged: it may have happened
    wrong = [key for key, body in bodies.items() if key != "sync/90" and s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() != body]
    tally.count("what was synced before is there", wrong)
    server.stop()
    tally.count("fsck after it", server.unsound())


def full_disk(server, a, tally):
    """Fills the disk: writes are refused, reads and deletes go on, and once there is room all is as before."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m", "none", server.data], check=True)
    try:
        os.chmod(server.data, 0o700)
        server.start()
        s3 = server.client()
        s3.create_bucket(Bucket=BUCKET)
        bodies, chance = {}, random.Random(a.seed)
        for size in (900_000, 5_000_000, 4_000):
            refusals = 0
            for number in range(600):
                key, body = f"{size}/{number}", chance.randbytes(size)
                try:
                    s3.put_object(Bucket=BUCKET, Key=key, Body=body)
                    bodies[key] = body
                except ClientError as error:
                    refusals += 1
                    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
                    if status not in (500, 503, 507):
                        tally.count("a refusal", [f"{status} {error}"])
                    break
            tally.count(f"{size} bytes are refused at some time", [] if refusals or size == 4_000 else ["the disk is never full"])
        wrong = [key for key, body in bodies.items() if s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() != body]
        tally.count("everything that was acknowledged is read on the full disk", wrong)
        gone = [key for key in bodies if key.startswith(("900000/", "5000000/")) and not key.endswith("7")]
        for key in gone:
            s3.delete_object(Bucket=BUCKET, Key=key)
            del bodies[key]
        again, end = ["no room again"], time.time() + 150
        while again and time.time() < end:
            try:
                s3.put_object(Bucket=BUCKET, Key="again", Body=b"x" * 5_000_000)
                again = []
            except ClientError:
                time.sleep(2)
        tally.count("after deleting, writing works again without a restart", again)
        server.kill()
        server.start()
        s3 = server.client()
        wrong = [key for key, body in bodies.items() if s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() != body]
        tally.count("and after kill -9", wrong)
        server.stop()
        tally.count("fsck", server.unsound())
    finally:
        if server.process and server.process.poll() is None:
            server.kill()
        subprocess.run(["umount", "-l", server.data], check=False)
    return f"{len(bodies)} objects read"


def places(data):
    """Every file with the part of it that is in use: what is behind are the zeros of a segment."""
    found = []
    for folder, _, names in os.walk(data):
        for name in names:
            path = os.path.join(folder, name)
            if not os.path.isfile(path) or name in ("lock", "daypass.sock") or name.endswith(("-shm", ".new")):
                continue
            with open(path, "rb") as file:
                used = len(file.read().rstrip(b"\0"))
            if used:
                found.append((path, used))
    return sorted(found)


def flips(server, a, tally):
    """Flips a bit, and asks: is it found, or are all objects and users still what they were?"""
    load = Load(a.seed)
    server.start()
    # one session for all servers: they are all the same server
    clients = server.clients("s3", "iam")
    s3, iam = clients
    s3.create_bucket(Bucket=BUCKET)
    users = {}
    for number in range(30):
        user = iam.create_user(UserName=f"user-{number}", Path=f"/{number}/", Tags=[{"Key": "number", "Value": str(number)}])["User"]
        users[user["UserName"]] = (user["Path"], user["UserId"], user["Arn"])
    load.run(s3, 6)
    load.judge(s3)
    # The end of a log is what a crash may leave unfinished: whether it was nobody can tell, and nothing is compared that is there.
    for number in range(5):
        s3.put_object(Bucket=BUCKET, Key=f"last-{number}", Body=b"x" * 100)
        iam.create_user(UserName=f"last-{number}")
    server.kill()
    pristine = {"killed": server.data + ".killed", "stopped": server.data + ".stopped"}
    ignored = shutil.ignore_patterns("daypass.sock")
    shutil.copytree(server.data, pristine["killed"], ignore=ignored)
    tally.count("fsck finds nothing where nothing was flipped, after a kill", server.unsound())
    server.start()
    server.stop()
    shutil.copytree(server.data, pristine["stopped"], ignore=ignored)
    tally.count("fsck finds nothing where nothing was flipped", server.unsound())
    tally.count("what is given out is right where nothing was flipped", given_out(server, clients, load, users, 0))
    chance, found, harmless = random.Random(a.seed), 0, 0
    for round in range(a.rounds):
        how = ("killed", "stopped")[round % 2]
        shutil.rmtree(server.data)
        shutil.copytree(pristine[how], server.data)
        path, used = chance.choice(places(server.data))
        at, bit = chance.randrange(used), chance.randrange(8)
        flip(path, at, 1 << bit)
        words = f"{os.path.relpath(path, server.data)} at {at}, bit {bit}, of a server that was {how}"
        status, _ = server.fsck()
        if status != 0:
            found += 1
        # found or not: what the server gives out must be right, or an error
        tally.count(words, given_out(server, clients, load, users, status))
        harmless += status == 0
        so_far(round, 500, tally)
    tally.count("fsck finds flips", [] if found else ["it found none"])
    return f"{found} of {a.rounds} flips were found by fsck, {harmless} were harmless"


def flip(path, at, bits):
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ bits]))


def given_out(server, clients, load, users, status):
    try:
        server.start()
    except RuntimeError:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()
        return [] if status else ["the server does not start and fsck finds nothing"]
    (s3, iam), wrong, errors = clients, [], []
    for key, body in load.held.items():
        try:
            read, torn = get(s3, key)
            # what is wrong in the metadata is no wrong byte, but fsck has to have found it
            wrong += [f"{key}: wrong bytes"] if read != body else []
            errors += torn
        except (ClientError, BotoCoreError) as error:
            errors.append(f"{key}: {error}")
    try:
        listed = {entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET)["Contents"] if not entry["Key"].startswith("last-")}
        errors += [f"{key}: is listed or not, which is wrong" for key in listed ^ {*load.held}]
        pages = iam.get_paginator("list_users").paginate()
        listed = {user["UserName"]: (user["Path"], user["UserId"], user["Arn"]) for page in pages for user in page["Users"]}
        errors += [f"{name}: {listed.get(name)}" for name in users if listed.get(name) != users[name]]
        errors += [f"{name}: nobody made this user" for name in listed if name not in users and not name.startswith("last-")]
    except (ClientError, BotoCoreError) as error:
        errors.append(f"lists: {error}")
    server.kill()
    return wrong + ([] if status else [f"{error}, and fsck finds nothing" for error in errors])


def backup(server, a, tally):
    """Backs up under load; what is restored holds what had been acknowledged before, and nothing that nobody wrote."""
    load = Load(a.seed)
    server.start()
    server.client().create_bucket(Bucket=BUCKET)
    for round in range(a.rounds):
        copy, back = f"{server.data}.backup{round}", f"{server.data}.back{round}"
        writer = threading.Thread(target=load.run, args=(server.client(), 3))
        server.client().put_object(Bucket=BUCKET, Key=f"mark-{round}", Body=b"before the backup")
        before = load.acknowledged
        writer.start()
        time.sleep(load.random.uniform(0.2, 2))
        allowed = load.watch()
        made = subprocess.run([server.binary, "backup", copy, "--data", server.data], capture_output=True, text=True)
        sent, load.sent = load.sent, None
        writer.join()
        tally.count(f"backup {round}", [] if made.returncode == 0 else [made.stderr])
        tally.count(f"changes were acknowledged meanwhile {round}", [] if load.acknowledged > before else ["none"])
        command = [server.binary, "restore", copy, "--data", back, "--root-key", f"{server.data}/root.key"]
        restored = subprocess.run(command, capture_output=True, text=True)
        tally.count(f"restore {round}", [] if restored.returncode == 0 else [restored.stderr])
        if restored.returncode:
            continue
        other = Server(server.binary, back, server.port + 1).start()
        a.others.append(other)
        s3 = other.client()
        for key, bodies in sent.items():
            allowed[key] += bodies
        allowed.update((f"mark-{mark}", [b"before the backup"]) for mark in range(round + 1))
        held, wrong = {}, []
        for entry in s3.list_objects_v2(Bucket=BUCKET)["Contents"]:
            held[entry["Key"]], torn = get(s3, entry["Key"])
            wrong += torn
        wrong += [f"{key}: {'nothing' if held.get(key) is None else len(held[key])}, which nobody sent" for key in {*held, *allowed}
                  if held.get(key) not in allowed.get(key, [])]
        s3.put_object(Bucket=BUCKET, Key="new", Body=b"x" * 100_000)
        other.stop()
        tally.count(f"the restored server {round}", wrong + other.unsound())
        left = [name for name in (server.data + "/backup.tmp", back + ".restoring") if os.path.exists(name)]
        mode = os.stat(back).st_mode & 0o777
        tally.count(f"nobody else can read it, and nothing is left {round}", left + ([] if mode == 0o700 else [oct(mode)]))
        spoiled = [file["path"] for file in json.load(open(f"{copy}/backup.json"))["files"]]
        taken = [path for path in spoiled if not refused(load.random, os.path.join(copy, path), [*command[:4], back + "x", *command[5:]])]
        tally.count(f"a damaged backup is refused {round}", [f"it was restored with a wrong bit in {path}" for path in taken])
        shutil.rmtree(copy), shutil.rmtree(back)
    server.stop()
    tally.count("no change was refused", [f"{load.refused} were"] if load.refused else [])
    return f"{load.acknowledged} changes acknowledged meanwhile"


def refused(chance, path, command):
    """Whether a backup is refused for a bit of this file, and leaves nothing."""
    at, bits = chance.randrange(os.path.getsize(path)), 1 << chance.randrange(8)
    flip(path, at, bits)
    done = subprocess.run(command, capture_output=True)
    flip(path, at, bits)
    place = command[command.index("--data") + 1]
    return done.returncode != 0 and not os.path.exists(place) and not os.path.exists(place + ".restoring")


def main():
    parts = {"kill": (killed, 30), "sync-errors": (sync_errors, 10),
             "write-errors": (write_errors, 10), "full-disk": (full_disk, 1), "flips": (flips, 50),
             "backup": (backup, 5)}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=parts)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--binary", default="target/release/daypass")
    parser.add_argument("--port", type=int, default=5165)
    parser.add_argument("--seed", type=int, default=1)
    a = parser.parse_args()
    run, rounds = parts[a.part]
    a.rounds, a.others = a.rounds or rounds, []
    folder, tally = tempfile.mkdtemp(prefix="daypass-crash-"), Tally()
    data = os.path.join(folder, "data")
    os.mkdir(data, 0o700)
    server = Server(os.path.abspath(a.binary), data, a.port)
    try:
        said = run(server, a, tally)
    finally:
        for one in [server, *a.others]:
            if one.process and one.process.poll() is None:
                one.process.kill()
    status = tally.end(said)
    if status == 0:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        print(f"its files are in {folder}")
    return status


if __name__ == "__main__":
    sys.exit(main())
