#!/usr/bin/env python3
"""What the real program does when the machine fails it. Each part starts servers of its own in a directory of its own, and ends
with 'N passed, N failed'.

  tests/crash.py kill        [--rounds 30]   kill -9 at random moments under mixed load
  tests/crash.py sync-errors [--rounds 10]   fsync and fdatasync that fail (strace)
  tests/crash.py write-errors [--rounds 10]  writes that fail (strace)
  tests/crash.py full-disk                   a file system of 400 MiB that fills up (root, for the mount)
  tests/crash.py flips       [--rounds 50]   single flipped bytes in the files of a stopped server
  tests/crash.py backup      [--rounds 5]    backups under load, restored and compared
  … [--binary target/release/daypass] [--port 5165] [--seed 1]

What was acknowledged must be there, whole; what was not acknowledged may be there, whole, or not at all.
"""
import argparse, hashlib, json, os, random, shutil, signal, subprocess, sys, tempfile, threading, time
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

SIZES = [0, 90, 700, 4096, 70_000, 300_000, 1_500_000]
WRITERS, KEYS, BUCKET = 5, 4, "crash-test"


class Server:
    def __init__(self, binary, data, port):
        self.binary, self.data, self.port, self.process = binary, data, port, None

    def start(self, wrapper=()):
        self.log = open(self.data.rstrip("/") + ".log", "ab")
        command = [*wrapper, self.binary, "up", "--data", self.data, "--listen", f"127.0.0.1:{self.port}"]
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

    def stop(self):
        os.kill(self.pid(), signal.SIGTERM)
        self.process.wait()

    def client(self):
        text = subprocess.run([self.binary, "env", "--data", self.data, "--format", "json"], check=True, capture_output=True).stdout
        env = json.loads(text)
        return boto3.client(
            "s3", endpoint_url=env["AWS_ENDPOINT_URL"], region_name="us-east-1", aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"], aws_session_token=env["AWS_SESSION_TOKEN"],
            config=Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=60, max_pool_connections=WRITERS + 1))

    def fsck(self, *more, data=None):
        done = subprocess.run([self.binary, "fsck", "--data", data or self.data, "--output", "json", *more], capture_output=True, text=True)
        return done.returncode, json.loads(done.stdout) if done.stdout else {"findings": [{"what": done.stderr}]}


class Load:
    """Writers that know what their keys must hold: the last acknowledged change, or the one that was under way."""

    def __init__(self, seed):
        self.random, self.held, self.open, self.acknowledged, self.refused = random.Random(seed), {}, {}, 0, 0

    def run(self, s3, seconds, before_end=lambda: None):
        stop = threading.Event()
        seeds = [self.random.random() for _ in range(WRITERS)]
        with ThreadPoolExecutor(WRITERS) as pool:
            writers = [pool.submit(self.write, s3, writer, random.Random(seeds[writer]), stop) for writer in range(WRITERS)]
            time.sleep(seconds)
            before_end()
            stop.set()
        for writer in writers:
            writer.result()

    def write(self, s3, writer, chance, stop):
        while not stop.is_set():
            key = f"{writer}/{chance.randrange(KEYS)}"
            what = chance.choice(["put"] * 6 + ["parts", "copy", "delete", "delete"])
            body = chance.randbytes(chance.choice(SIZES))
            if what == "copy":
                source = f"{writer}/{chance.randrange(KEYS)}"
                body = self.held.get(source)
                if body is None or source == key:
                    continue
            self.open[key] = None if what == "delete" else body
            try:
                self.make(s3, what, key, body, source if what == "copy" else None)
            except (BotoCoreError, ClientError):
                # not acknowledged: whether it happened is seen when the server is back
                self.refused += 1
                return
            self.held[key] = self.open.pop(key)
            self.acknowledged += 1

    def make(self, s3, what, key, body, source):
        if what == "put":
            s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        elif what == "copy":
            s3.copy_object(Bucket=BUCKET, Key=key, CopySource={"Bucket": BUCKET, "Key": source})
        elif what == "delete":
            s3.delete_object(Bucket=BUCKET, Key=key)
        else:
            upload = s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
            tag = s3.upload_part(Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=1, Body=body)["ETag"]
            s3.complete_multipart_upload(Bucket=BUCKET, Key=key, UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": tag}]})

    def judge(self, s3):
        """What is wrong, if anything; what was under way is known after this."""
        wrong = []
        listed = {o["Key"]: o["Size"] for o in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])}
        for key in {f"{w}/{k}" for w in range(WRITERS) for k in range(KEYS)}:
            try:
                found = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
            except s3.exceptions.NoSuchKey:
                found = None
            allowed = [self.held.get(key)] + ([self.open[key]] if key in self.open else [])
            if found not in allowed:
                length = lambda body: None if body is None else len(body)
                wrong.append(f"{key}: {length(found)} bytes, not one of {[length(body) for body in allowed]}")
            if listed.get(key) != (None if found is None else len(found)):
                wrong.append(f"{key}: listed with {listed.get(key)} bytes")
            self.held[key] = found
        self.open.clear()
        self.held = {key: body for key, body in self.held.items() if body is not None}
        return wrong


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


def killed(server, a, tally):
    """Kills the server in the middle of a load, again and again, and judges it each time that it is back."""
    load = Load(a.seed)
    server.start()
    server.client().create_bucket(Bucket=BUCKET)
    for round in range(a.rounds):
        load.run(server.client(), load.random.uniform(0.05, 1.5), server.kill)
        server.start()
        tally.count(f"round {round}", load.judge(server.client()))
    server.stop()
    status, report = server.fsck()
    tally.count("fsck finds nothing, no leftovers either", [f["what"] for f in report["findings"]] or ([] if status == 0 else [str(status)]))
    return f"{load.acknowledged} changes acknowledged, {load.refused} under way when the server was killed"


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
            load.run(server.client(), 4)
            seen += load.refused > before
            server.kill()
        except (RuntimeError, subprocess.CalledProcessError, ClientError, BotoCoreError):
            # it failed while it started: then nothing was acknowledged
            if server.process.poll() is None:
                server.kill()
        server.start()
        tally.count(f"round {round}, {calls} fails from {when}", load.judge(server.client()))
        server.stop()
        status, report = server.fsck()
        tally.count(f"round {round}, fsck", [f["what"] for f in report["findings"]] or ([] if status == 0 else [str(status)]))
    if not seen:
        tally.count("a failure reached a client", ["none did: nothing was tested"])
    return f"{load.acknowledged} changes acknowledged; in {seen} of {a.rounds} rounds clients saw failures"


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
        tally.count("fsck", [f["what"] for f in server.fsck()[1]["findings"]])
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
    """Flips a byte, and asks: is it found, or are all objects still what they were?"""
    load = Load(a.seed)
    server.start()
    server.client().create_bucket(Bucket=BUCKET)
    load.run(server.client(), 6)
    s3 = server.client()
    load.judge(s3)
    server.stop()
    chance, found, harmless = random.Random(a.seed), 0, 0
    pristine = server.data + ".pristine"
    shutil.copytree(server.data, pristine, ignore=shutil.ignore_patterns("daypass.sock"))
    files = places(server.data)
    for round in range(a.rounds):
        path, used = chance.choice(files)
        at = chance.randrange(used)
        with open(path, "r+b") as file:
            file.seek(at)
            byte = file.read(1)
            file.seek(at)
            file.write(bytes([byte[0] ^ (1 << chance.randrange(8))]))
        words = f"{os.path.relpath(path, server.data)} at {at}"
        status, _ = server.fsck()
        if status != 0:
            found += 1
        # found or not: what the server gives out must be right, or an error
        tally.count(words, given_out(server, load, status))
        harmless += status == 0
        shutil.rmtree(server.data)
        shutil.copytree(pristine, server.data)
    return f"{found} of {a.rounds} flips were found by fsck, {harmless} were harmless"


def given_out(server, load, status):
    try:
        server.start()
        s3 = server.client()
    except (RuntimeError, subprocess.CalledProcessError):
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()
        return [] if status else ["the server does not start and fsck finds nothing"]
    wrong = []
    for key, body in load.held.items():
        try:
            if s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() != body:
                wrong.append(f"{key}: wrong bytes")
        except (ClientError, BotoCoreError) as error:
            if status == 0:
                wrong.append(f"{key}: {error}, and fsck finds nothing")
    server.kill()
    return wrong


def backup(server, a, tally):
    """Backs up under load; what is restored holds what had been acknowledged before, and nothing that nobody wrote."""
    load = Load(a.seed)
    server.start()
    server.client().create_bucket(Bucket=BUCKET)
    for round in range(a.rounds):
        copy, back = f"{server.data}.backup{round}", f"{server.data}.back{round}"
        writer = threading.Thread(target=load.run, args=(server.client(), 3))
        server.client().put_object(Bucket=BUCKET, Key=f"mark-{round}", Body=b"before the backup")
        writer.start()
        time.sleep(load.random.uniform(0.2, 2))
        made = subprocess.run([server.binary, "backup", copy, "--data", server.data], capture_output=True, text=True)
        writer.join()
        tally.count(f"backup {round}", [] if made.returncode == 0 else [made.stderr])
        command = [server.binary, "restore", copy, "--data", back, "--root-key", f"{server.data}/root.key"]
        restored = subprocess.run(command, capture_output=True, text=True)
        tally.count(f"restore {round}", [] if restored.returncode == 0 else [restored.stderr])
        if restored.returncode:
            continue
        other = Server(server.binary, back, server.port + 1).start()
        a.others.append(other)
        s3 = other.client()
        wrong = [] if s3.get_object(Bucket=BUCKET, Key=f"mark-{round}")["Body"].read() == b"before the backup" else ["the mark"]
        for entry in s3.list_objects_v2(Bucket=BUCKET)["Contents"]:
            s3.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read()
        s3.put_object(Bucket=BUCKET, Key="new", Body=b"x" * 100_000)
        other.stop()
        tally.count(f"the restored server {round}", wrong + [f["what"] for f in other.fsck()[1]["findings"]])
        segments = [os.path.join(copy, "objects/segments", name) for name in os.listdir(f"{copy}/objects/segments")]
        with open(max(segments, key=os.path.getsize), "r+b") as file:
            file.seek(4200)
            byte = file.read(1)
            file.seek(4200)
            file.write(bytes([byte[0] ^ 1]))
        spoiled = subprocess.run([*command[:4], back + "x", *command[5:]], capture_output=True, text=True)
        refused = spoiled.returncode != 0 and not os.path.exists(back + "x")
        tally.count(f"a damaged backup is refused {round}", [] if refused else ["it was restored"])
        shutil.rmtree(copy), shutil.rmtree(back)
    server.stop()
    return f"{load.acknowledged} changes acknowledged meanwhile"


def main():
    parts = {"kill": (killed, 30), "sync-errors": (lambda s, a, t: injected(s, a, t, "fsync,fdatasync", (4, 40)), 10),
             "write-errors": (lambda s, a, t: injected(s, a, t, "pwrite64", (60, 400)), 10), "full-disk": (full_disk, 1), "flips": (flips, 50),
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
