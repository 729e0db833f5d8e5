#!/usr/bin/env python3
"""Event notifications with a real server, a real receiver and a real file: every acknowledged change is told, through refusals of
the receiver and kill -9. Ends with 'N passed, N failed'.

  tests/events.py [--binary target/debug/daypass] [--port 4735] [--rounds 5]
"""
import argparse, http.server, json, os, random, shutil, sys, tempfile, threading, time, urllib.parse

import boto3
from botocore.exceptions import BotoCoreError, ClientError

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from crash import Server

ACCOUNT, REGION = "123456789012", "us-east-1"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:uploads"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:removals"
BUS = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
passed = failed = 0


def check(what, good, why=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    print(("ok " if good else "not ok ") + what + ("" if good else f": {why}"), flush=True)


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    got, refuse = [], 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        status = 200
        if Receiver.refuse > 0:
            Receiver.refuse -= 1
            status = 503
        else:
            Receiver.got.append((dict(self.headers), json.loads(body)))
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Notifying(Server):
    options = []

    def start(self, wrapper=()):
        binary, self.binary_options = self.binary, Notifying.options
        import subprocess
        self.log = open(self.data.rstrip("/") + ".log", "ab")
        command = [binary, "up", "--data", self.data, "--listen", f"127.0.0.1:{self.port}", *Notifying.options]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)
        end = time.time() + 120
        while time.time() < end and self.process.poll() is None:
            if subprocess.run([binary, "status", "--data", self.data], capture_output=True).returncode == 0:
                return self
            time.sleep(0.05)
        raise RuntimeError(f"the server does not start: see {self.log.name}")


def until(true, seconds=20):
    end = time.time() + seconds
    while time.time() < end and not true():
        time.sleep(0.1)
    return true()


def records():
    """What the queue's receiver got, as (event, key)."""
    all_ = [r for h, m in Receiver.got if h.get("x-daypass-event-destination") == QUEUE for r in m.get("Records", [])]
    return [(r["eventName"], urllib.parse.unquote_plus(r["s3"]["object"]["key"])) for r in all_]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--binary", default="target/debug/daypass")
    options.add_argument("--port", type=int, default=4735)
    options.add_argument("--rounds", type=int, default=5)
    options = options.parse_args()
    folder = tempfile.mkdtemp(prefix="daypass-events-")
    receiver = http.server.ThreadingHTTPServer(("127.0.0.1", options.port + 1), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    url, lines = f"http://127.0.0.1:{options.port + 1}/hook", f"{folder}/events.jsonl"
    Notifying.options = [part for arn, place in ((QUEUE, url), (TOPIC, url), (BUS, f"file:{lines}"))
                         for part in ("--event-destination", f"{arn}={place}")]
    server = Notifying(options.binary, f"{folder}/data", options.port).start()
    s3 = server.client()
    s3.create_bucket(Bucket="events")
    configuration = {
        "QueueConfigurations": [{"Id": "q", "QueueArn": QUEUE, "Events": ["s3:ObjectCreated:*", "s3:ObjectTagging:*"],
                                 "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "in/"}]}}}],
        "TopicConfigurations": [{"Id": "t", "TopicArn": TOPIC, "Events": ["s3:ObjectRemoved:*"]}],
        "EventBridgeConfiguration": {},
    }
    s3.put_bucket_notification_configuration(Bucket="events", NotificationConfiguration=configuration)
    shown = s3.get_bucket_notification_configuration(Bucket="events")
    shown.pop("ResponseMetadata")
    # S3 answers names of rules with a capital letter or without
    check("boto3 is shown what it put", shown == configuration, shown)
    check("both are told that they were configured",
          until(lambda: sum(m.get("Event") == "s3:TestEvent" or "s3:TestEvent" in m.get("Message", "") for _, m in Receiver.got) == 2), Receiver.got)
    s3.put_object(Bucket="events", Key="in/a b.txt", Body=b"x", Tagging="k=v")
    s3.put_object(Bucket="events", Key="out/a.txt", Body=b"x")
    s3.put_object_tagging(Bucket="events", Key="in/a b.txt", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    s3.delete_object(Bucket="events", Key="out/a.txt")
    check("the queue is told of what its filter names",
          until(lambda: records() == [("ObjectCreated:Put", "in/a b.txt"), ("ObjectTagging:Put", "in/a b.txt")]), records())
    removal = lambda: [m for h, m in Receiver.got if h.get("x-amz-sns-topic-arn") == TOPIC and "ObjectRemoved:Delete" in m["Message"]]
    check("the topic's subscriber gets SNS's notification", until(lambda: len(removal()) == 1), Receiver.got)
    bus = lambda: [json.loads(line)["detail-type"] for line in open(lines)]
    check("the file gets every event of the bus",
          until(lambda: bus() == ["Object Created", "Object Created", "Object Tags Added", "Object Deleted"]), bus())

    for arn in (QUEUE + "2", f"arn:aws:sqs:{REGION}:999988887777:uploads"):
        try:
            s3.put_bucket_notification_configuration(Bucket="events", NotificationConfiguration={
                "QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]})
            check("an unknown destination is refused", False, arn)
        except ClientError as error:
            words = "Unable to validate the following destination configurations"
            check("an unknown destination is refused", error.response["Error"]["Message"] == words, error)

    Receiver.refuse = 3
    s3.put_object(Bucket="events", Key="in/refused", Body=b"x")
    check("what the receiver refuses comes again", until(lambda: ("ObjectCreated:Put", "in/refused") in records(), 30), records())

    acknowledged = []
    for round_ in range(options.rounds):
        stop = threading.Event()

        def write(number):
            client, count = server.client(), 0
            while not stop.is_set():
                key = f"in/{round_}-{number}-{count}"
                try:
                    client.put_object(Bucket="events", Key=key, Body=b"x")
                    acknowledged.append(key)
                except (BotoCoreError, ClientError):
                    return
                count += 1
        writers = [threading.Thread(target=write, args=(n,)) for n in range(3)]
        [w.start() for w in writers]
        time.sleep(random.uniform(1.0, 3.0))
        server.kill()
        stop.set()
        [w.join() for w in writers]
        server.start()
    missing = lambda: set(acknowledged) - {key for _, key in records()}
    check(f"kill -9 loses no event of {len(acknowledged)} acknowledged changes", until(lambda: not missing(), 60), sorted(missing())[:5])
    told = lambda: {json.loads(line)["detail"]["object"]["key"] for line in open(lines)}
    check("nor those in the file", until(lambda: not set(acknowledged) - told(), 60), len(set(acknowledged) - told()))
    order = {}
    for h, m in Receiver.got:
        for r in m.get("Records", []):
            order.setdefault(r["s3"]["object"]["key"], []).append(r["s3"]["object"].get("sequencer"))
    check("nothing was told of what was never written", {k for _, k in records()} <= set(acknowledged) | {"in/a b.txt", "in/refused"} | {f"in/{r}-{n}-{c}" for r in range(options.rounds) for n in range(3) for c in range(100000)})
    server.stop()
    shutil.rmtree(folder)
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
