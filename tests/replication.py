#!/usr/bin/env python3
"""Replication with a real server, boto3 and the AWS CLI: what is acknowledged is replicated, through kill -9, with the same versions
in the same order, and what the role may not do is not. Ends with 'N passed, N failed'.

  tests/replication.py [--binary target/debug/daypass] [--port 4745] [--rounds 5]
"""
import argparse, json, os, random, shutil, subprocess, sys, tempfile, threading, time

from botocore.exceptions import BotoCoreError, ClientError

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from crash import Server

FROM, TO = "replicated-from", "replicated-to"
WRITERS, KEYS, SIZES = 3, 4, [0, 90, 4096, 300_000, 1_500_000]
TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
RIGHTS = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["s3:GetReplicationConfiguration", "s3:ListBucket"], "Resource": f"arn:aws:s3:::{FROM}"},
    {"Effect": "Allow", "Action": ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"],
     "Resource": f"arn:aws:s3:::{FROM}/*"},
    {"Effect": "Allow", "Action": ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"], "Resource": f"arn:aws:s3:::{TO}/*"}]}
passed = failed = 0


def check(what, good, why=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    print(("ok " if good else "not ok ") + what + ("" if good else f": {str(why)[:600]}"), flush=True)


def cli(server, *arguments):
    """Runs the AWS CLI; what it says."""
    said = subprocess.run([server.binary, "env", "--data", server.data, "--format", "json"], check=True, capture_output=True).stdout
    environment = os.environ | {name: str(value) for name, value in json.loads(said).items()}
    done = subprocess.run(["aws", *arguments, "--output", "json"], env=environment, capture_output=True, text=True)
    return json.loads(done.stdout or "null") if done.returncode == 0 else done.stderr


def configured(role, markers="Enabled"):
    return {"Role": role, "Rules": [{"ID": "all", "Priority": 1, "Status": "Enabled", "Filter": {},
                                     "DeleteMarkerReplication": {"Status": markers}, "Destination": {"Bucket": f"arn:aws:s3:::{TO}"}}]}


def prepare(server):
    s3 = server.client()
    for bucket in (FROM, TO):
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    made = cli(server, "iam", "create-role", "--role-name", "replicates", "--assume-role-policy-document", json.dumps(TRUST))
    role = made["Role"]["Arn"]
    cli(server, "iam", "put-role-policy", "--role-name", "replicates", "--policy-name", "p", "--policy-document", json.dumps(RIGHTS))
    said = cli(server, "s3api", "put-bucket-replication", "--bucket", FROM, "--replication-configuration", json.dumps(configured(role)))
    shown = cli(server, "s3api", "get-bucket-replication", "--bucket", FROM)
    check("the CLI is shown what it put", isinstance(shown, dict) and shown["ReplicationConfiguration"]["Rules"][0]["ID"] == "all", (said, shown))
    refused = cli(server, "s3api", "put-bucket-versioning", "--bucket", FROM, "--versioning-configuration", "Status=Suspended")
    check("versions cannot be suspended then", "InvalidBucketState" in str(refused), refused)


def eventually(look, seconds=60):
    end = time.time() + seconds
    while not (seen := look()) and time.time() < end:
        time.sleep(0.2)
    return seen


def one_object(server):
    s3 = server.client()
    put = s3.put_object(Bucket=FROM, Key="one", Body=b"hello", Metadata={"a": "b"}, Tagging="t=1", ContentType="text/x")
    ended = eventually(lambda: s3.head_object(Bucket=FROM, Key="one").get("ReplicationStatus") == "COMPLETED")
    head = cli(server, "s3api", "head-object", "--bucket", TO, "--key", "one")
    same = isinstance(head, dict) and (head["VersionId"], head["ReplicationStatus"], head["Metadata"], head["ContentType"]) == (
        put["VersionId"], "REPLICA", {"a": "b"}, "text/x")
    check("an object is replicated as it is", ended and same, head)
    s3.delete_object(Bucket=FROM, Key="one")
    check("and so is its delete marker", eventually(lambda: versions(s3, TO) == versions(s3, FROM)), (versions(s3, TO), versions(s3, FROM)))


def versions(s3, bucket):
    """All versions and delete markers: key, id, tag, in the order of the listing."""
    found = {}
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for one in page.get("Versions", []) + page.get("DeleteMarkers", []):
            found.setdefault(one["Key"], []).append((one["LastModified"].isoformat(), one["VersionId"], one.get("ETag")))
    return {key: sorted(list_) for key, list_ in found.items()}


def outlives_kills(server, rounds):
    acknowledged = []
    for round_ in range(rounds):
        stop = threading.Event()

        def write(number):
            client = server.client()
            while not stop.is_set():
                key = f"k-{random.randrange(KEYS)}-{number}"
                try:
                    if random.random() < 0.2:
                        acknowledged.append((key, client.delete_object(Bucket=FROM, Key=key)["VersionId"]))
                    else:
                        body = os.urandom(random.choice(SIZES))
                        acknowledged.append((key, client.put_object(Bucket=FROM, Key=key, Body=body)["VersionId"]))
                except (BotoCoreError, ClientError):
                    return
        writers = [threading.Thread(target=write, args=(n,)) for n in range(WRITERS)]
        [w.start() for w in writers]
        time.sleep(random.uniform(1.0, 3.0))
        server.kill()
        stop.set()
        [w.join() for w in writers]
        server.start()
    s3 = server.client()
    agree = eventually(lambda: versions(s3, TO) == versions(s3, FROM), 120)
    there = {(key, id_) for key, list_ in versions(s3, TO).items() for _, id_, _ in list_}
    check(f"kill -9 loses no replica of {len(acknowledged)} acknowledged changes", len(acknowledged) > 20 and not set(acknowledged) - there,
          set(acknowledged) - there)
    check("and both buckets have the same versions", agree)
    objects = [(key, id_) for key, list_ in versions(s3, FROM).items() for _, id_, etag in list_ if etag]
    status = lambda: {s3.head_object(Bucket=FROM, Key=key, VersionId=id_).get("ReplicationStatus") for key, id_ in objects}
    check("every object says that it is replicated", eventually(lambda: status() == {"COMPLETED"}), status())
    body = lambda bucket, key, id_: s3.get_object(Bucket=bucket, Key=key, VersionId=id_)["Body"].read()
    check("with its bytes", all(body(FROM, *one) == body(TO, *one) for one in random.sample(objects, min(40, len(objects)))))


def is_refused(server):
    """What the role may not do is not done, and the record says why."""
    s3 = server.client()
    less = json.loads(json.dumps(RIGHTS).replace("s3:ReplicateObject", "s3:None"))
    cli(server, "iam", "put-role-policy", "--role-name", "replicates", "--policy-name", "p", "--policy-document", json.dumps(less))
    id_ = s3.put_object(Bucket=FROM, Key="refused", Body=b"x")["VersionId"]
    ended = eventually(lambda: s3.head_object(Bucket=FROM, Key="refused").get("ReplicationStatus") == "FAILED")
    check("what the role may not replicate fails", ended)
    listed = s3.list_object_versions(Bucket=TO, Prefix="refused")
    check("and is not there", not listed.get("Versions"), listed)
    s3.delete_object(Bucket=FROM, Key="refused", VersionId=id_)
    why = subprocess.run([server.binary, "why", "--data", server.data], capture_output=True, text=True).stdout
    check("`daypass why` says what was missing", "s3:ReplicateObject" in why and "s3-replication" in why, why)
    cli(server, "iam", "put-role-policy", "--role-name", "replicates", "--policy-name", "p", "--policy-document", json.dumps(RIGHTS))


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--binary", default="target/debug/daypass")
    options.add_argument("--port", type=int, default=4745)
    options.add_argument("--rounds", type=int, default=5)
    options = options.parse_args()
    folder = tempfile.mkdtemp(prefix="daypass-replication-")
    server = Server(options.binary, f"{folder}/data", options.port).start()
    try:
        prepare(server)
        one_object(server)
        is_refused(server)
        outlives_kills(server, options.rounds)
        server.stop()
        found = server.unsound()
        check("the store is sound", not found, found)
    finally:
        if server.process.poll() is None:
            server.kill()
        shutil.rmtree(folder)
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
