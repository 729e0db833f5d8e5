#!/usr/bin/env python3
"""Event notifications and access logs with a real server, a real receiver and a real file: every acknowledged change is told, through
refusals of the receiver and kill -9, and a clean stop loses no line of a log. Ends with 'N passed, N failed'.

  tests/events.py [--binary target/debug/daypass] [--port 4735] [--rounds 5]

A check is a question about what was seen. At the end each is asked about what was seen and then spoiled: one that does not fail
then is none, and counts as failed.
"""
import argparse, copy, http.server, json, os, random, re, shutil, socket, subprocess, sys, tempfile, threading, time, urllib.parse

from botocore.exceptions import BotoCoreError, ClientError

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from crash import Server

ACCOUNT, REGION = "123456789012", "us-east-1"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:uploads"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:removals"
BUS = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
UNKNOWN = "Unable to validate the following destination configurations"
SECRET = "s3cret"
WRITERS, LINES = 3, 25
CONFIGURATION = {
    "QueueConfigurations": [{"Id": "q", "QueueArn": QUEUE, "Events": ["s3:ObjectCreated:*", "s3:ObjectTagging:*"],
                             "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "in/"}]}}}],
    "TopicConfigurations": [{"Id": "t", "TopicArn": TOPIC, "Events": ["s3:ObjectRemoved:*"]}],
    "EventBridgeConfiguration": {},
}
proven = []
passed = failed = 0


def say(what, good, why=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    print(("ok " if good else "not ok ") + what + ("" if good else f": {str(why)[:600]}"), flush=True)


def check(what, look, holds, spoil, seconds=20):
    """Whether `holds` of what `look` sees, by then; `spoil` gives back what it must not hold of."""
    end = time.time() + seconds
    while not holds(seen := look()) and time.time() < end:
        time.sleep(0.1)
    good = holds(seen)
    say(what, good, seen)
    if good:
        proven.append((what, not holds(spoil(copy.deepcopy(seen)))))


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    got, refuse, refused, chokes_on = [], 0, 0, None

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        status = 200
        if Receiver.refuse > 0:
            Receiver.refuse -= 1
            Receiver.refused += 1
            status = 503
        elif Receiver.chokes_on and Receiver.chokes_on in body:
            status = 500
        else:
            Receiver.got.append((self.headers.get("x-daypass-event-destination"), dict(self.headers), json.loads(body)))
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def records():
    """What the queue's receiver got, as (event, key, sequencer)."""
    all_ = [r for arn, _, m in Receiver.got if arn == QUEUE for r in m.get("Records", [])]
    return [(r["eventName"], urllib.parse.unquote_plus(r["s3"]["object"]["key"]), r["s3"]["object"].get("sequencer")) for r in all_]


def created():
    return [key for event, key, _ in records() if event == "ObjectCreated:Put"]


def configured():
    """Who was told that it was configured, by what."""
    return sorted((arn, json.loads(m["Message"])["Event"] if "Message" in m else m["Event"])
                  for arn, _, m in Receiver.got if "Event" in m or "s3:TestEvent" in m.get("Message", ""))


def removals():
    """The notifications of the topic's subscriber: the headers and the keys that tell what they are."""
    found = [(h.get("x-amz-sns-message-type"), h.get("x-amz-sns-topic-arn"), m.get("TopicArn"), json.loads(m["Message"]).get("Records"))
             for arn, h, m in Receiver.got if arn == TOPIC and "Records" in m.get("Message", "")]
    return [(*head, [(r["eventName"], r["s3"]["object"]["key"]) for r in records]) for *head, records in found]


def shows_configurations(s3, server, lines):
    s3.put_bucket_notification_configuration(Bucket="events", NotificationConfiguration=CONFIGURATION)

    def shown():
        answer = s3.get_bucket_notification_configuration(Bucket="events")
        return {name: value for name, value in answer.items() if name != "ResponseMetadata"}
    check("boto3 is shown what it put", shown, lambda is_: is_ == CONFIGURATION, lambda is_: is_ | {"QueueConfigurations": []}, 0)
    check("each is told once that it was configured", configured,
          lambda is_: is_ == [(TOPIC, "s3:TestEvent"), (QUEUE, "s3:TestEvent")], lambda is_: is_[:1] * 2)

    def refusals():
        found = []
        for arn in (QUEUE + "2", f"arn:aws:sqs:{REGION}:999988887777:uploads"):
            try:
                s3.put_bucket_notification_configuration(Bucket="events", NotificationConfiguration={
                    "QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]})
                found.append(None)
            except ClientError as error:
                found.append((error.response["Error"]["Code"], error.response["Error"]["Message"]))
        return found, shown() == CONFIGURATION
    check("unknown destinations are refused, and nothing changes", refusals, lambda is_: is_ == ([("InvalidArgument", UNKNOWN)] * 2, True),
          lambda is_: ([None] + is_[0][1:], True), 0)


def tells_changes(s3, server, lines):
    s3.put_object(Bucket="events", Key="in/a b.txt", Body=b"x", Tagging="k=v")
    s3.put_object(Bucket="events", Key="out/a.txt", Body=b"x")
    s3.put_object_tagging(Bucket="events", Key="in/a b.txt", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    s3.delete_object(Bucket="events", Key="out/a.txt")
    check("the queue is told of what its filter names", lambda: [r[:2] for r in records()],
          lambda is_: is_ == [("ObjectCreated:Put", "in/a b.txt"), ("ObjectTagging:Put", "in/a b.txt")],
          lambda is_: is_ + [("ObjectCreated:Put", "out/a.txt")])
    check("the topic's subscriber gets SNS's notification", removals,
          lambda is_: is_ == [("Notification", TOPIC, TOPIC, [("ObjectRemoved:Delete", "out/a.txt")])], lambda is_: is_ * 2)
    check("the file gets every event of the bus", lambda: [e["detail-type"] for e in bus(lines)],
          lambda is_: is_ == ["Object Created", "Object Created", "Object Tags Added", "Object Deleted"], lambda is_: is_[:-1])


def bus(lines):
    return [json.loads(line) for line in open(lines)]


def outlives_refusals(s3, server, lines):
    Receiver.refuse = 3
    for key in ("in/refused", "in/behind it"):
        s3.put_object(Bucket="events", Key=key, Body=b"x")
    check("what the receiver refuses comes again, before what is behind it", lambda: (Receiver.refused, created()[1:]),
          lambda is_: is_ == (3, ["in/refused", "in/behind it"]), lambda is_: (is_[0], is_[1][::-1]), 40)
    Receiver.chokes_on = b"in/choke"
    for key in ("in/before", "in/choke", "in/after"):
        s3.put_object(Bucket="events", Key=key, Body=b"x")
    check("a message that is never taken does not hold up the next", lambda: created()[3:],
          lambda is_: is_ == ["in/before", "in/after"], lambda is_: is_[:1], 60)
    check("and is counted as let go", lambda: status(server)["events"],
          lambda is_: [(q["waiting"], q["dropped"]) for q in is_ if q["destination"] == QUEUE] == [(0, 1)],
          lambda is_: [q | {"dropped": 0} for q in is_])
    Receiver.chokes_on = None

    def log():
        text = open(server.log.name, errors="replace").read()
        return text.count("events wait, and are tried again"), text.count("are let go"), SECRET in text
    check("the log says why events waited, and not what lets in at their receiver", log,
          lambda is_: is_[0] >= 4 and is_[1] == 1 and not is_[2], lambda is_: (*is_[:2], True), 0)


def status(server):
    return json.loads(subprocess.run([server.binary, "status", "--data", server.data, "--output", "json"], check=True, capture_output=True).stdout)


def outlives_kills(s3, server, lines, rounds):
    tried, acknowledged = [], []
    for round_ in range(rounds):
        stop = threading.Event()
        before = len(acknowledged)

        def write(number):
            client, count = server.client(), 0
            while not stop.is_set():
                key = f"in/{round_}-{number}-{count:05}"
                tried.append(key)
                try:
                    client.put_object(Bucket="events", Key=key, Body=b"x")
                    acknowledged.append(key)
                except (BotoCoreError, ClientError):
                    return
                count += 1
        writers = [threading.Thread(target=write, args=(n,)) for n in range(WRITERS)]
        [w.start() for w in writers]
        time.sleep(random.uniform(1.0, 3.0))
        server.kill()
        stop.set()
        [w.join() for w in writers]
        if len(acknowledged) - before < WRITERS:
            raise RuntimeError(f"round {round_} wrote next to nothing: its kill shows nothing")
        server.start()

    def told():
        keys = [key for key in created() if re.match(r"in/\d+-", key)]
        in_file = {e["detail"]["object"]["key"] for e in bus(lines)}
        return sorted(set(acknowledged)), sorted(set(tried)), keys, sorted(in_file)
    check(f"kill -9 loses no event of {len(acknowledged)} acknowledged changes", told,
          lambda is_: is_[0] and not set(is_[0]) - set(is_[2]), lambda is_: (*is_[:2], is_[2][1:], is_[3]), 60)
    check("nor any of those in the file", told,
          lambda is_: is_[0] and not set(is_[0]) - set(is_[3]), lambda is_: (*is_[:3], [k for k in is_[3] if k != is_[0][0]]), 60)
    check("nothing is told of what nobody wrote", told,
          lambda is_: is_[2] and not set(is_[2]) - set(is_[1]), lambda is_: (is_[0], is_[1][1:], is_[1], is_[3]), 0)

    def by_writer():
        first = list(dict.fromkeys(key for key in created() if re.match(r"in/\d+-", key)))
        writers = {key.rsplit("-", 1)[0] for key in first}
        return [[key for key in first if key.startswith(f"{w}-")] for w in sorted(writers)]
    check("what one writer wrote is told in its order", by_writer,
          lambda is_: len(is_) == WRITERS * rounds and all(keys == sorted(keys) for keys in is_),
          lambda is_: [is_[0][::-1], *is_[1:]] if len(is_[0]) > 1 else [], 0)
    for _ in range(20):
        s3.put_object(Bucket="events", Key="in/again", Body=b"x")
    check("sequencers order the changes of a key", lambda: [s for _, key, s in records() if key == "in/again"],
          lambda is_: len(is_) >= 20 and is_ == sorted(is_) and len(set(is_)) == 20, lambda is_: is_[::-1])


def keeps_logs(s3, server, lines):
    """A log of every request up to a clean stop: of those that ended, and of one that was still being answered."""
    for bucket in ("seen", "logs"):
        s3.create_bucket(Bucket=bucket)
    s3.put_bucket_policy(Bucket="logs", Policy=json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::logs/*",
        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}, "ArnLike": {"aws:SourceArn": "arn:aws:s3:::seen"}}}]}))
    s3.put_object(Bucket="seen", Key="large", Body=bytes(64 << 20))
    s3.put_bucket_logging(Bucket="seen", BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": "seen/"}})
    for number in range(LINES):
        s3.get_object_tagging(Bucket="seen", Key="large") if number % 2 else s3.head_object(Bucket="seen", Key="large")
    url = urllib.parse.urlsplit(s3.generate_presigned_url("get_object", Params={"Bucket": "seen", "Key": "large"}))
    slow = socket.create_connection((url.hostname, url.port))
    slow.sendall(f"GET {url.path}?{url.query} HTTP/1.1\r\nhost: {url.netloc}\r\n\r\n".encode())
    slow.recv(1000)
    server.stop()
    slow.close()
    server.start()
    s3 = server.client()

    def lines_():
        keys = [o["Key"] for o in s3.list_objects_v2(Bucket="logs").get("Contents", [])]
        text = "".join(s3.get_object(Bucket="logs", Key=key)["Body"].read().decode() for key in keys)
        # the request that turns logging on may be logged or not
        return [line for line in text.splitlines() if "LOGGING_STATUS" not in line]

    def whole(is_):
        count = lambda part: sum(part in line for line in is_)
        proof = re.search("(?i)(signature|security-token)=(?!REDACTED)", "".join(is_))
        return (count(" REST.GET.OBJECT_TAGGING large "), count(" REST.HEAD.OBJECT large "), count(" REST.GET.OBJECT large ")) == (
            LINES // 2, LINES - LINES // 2, 1) and len({line.split(" ")[6] for line in is_}) == len(is_) and not proof
    check("a clean stop loses no line of an access log, nor that of a download under way", lines_, whole, lambda is_: is_[:-1], 5)
    check("and a line shows no signature", lines_, lambda is_: whole(is_) and sum("Signature=REDACTED" in line for line in is_) == 1,
          lambda is_: [line.replace("REDACTED", "0a0b") for line in is_], 0)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--binary", default="target/debug/daypass")
    options.add_argument("--port", type=int, default=4735)
    options.add_argument("--rounds", type=int, default=5)
    options = options.parse_args()
    folder = tempfile.mkdtemp(prefix="daypass-events-")
    receiver = http.server.ThreadingHTTPServer(("127.0.0.1", options.port + 1), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    url, lines = f"http://127.0.0.1:{options.port + 1}/hook/{SECRET}?token={SECRET}", f"{folder}/events.jsonl"
    destinations = [part for arn, place in ((QUEUE, url), (TOPIC, url), (BUS, f"file:{lines}"))
                    for part in ("--event-destination", f"{arn}={place}")]
    server = Server(options.binary, f"{folder}/data", options.port, destinations).start()
    try:
        s3 = server.client()
        s3.create_bucket(Bucket="events")
        shows_configurations(s3, server, lines)
        tells_changes(s3, server, lines)
        outlives_refusals(s3, server, lines)
        outlives_kills(s3, server, lines, options.rounds)
        keeps_logs(s3, server, lines)
    finally:
        server.stop()
    idle = [what for what, fails in proven if not fails]
    say(f"each of {len(proven)} checks fails where what it saw is spoiled", proven and not idle, idle)
    shutil.rmtree(folder)
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
