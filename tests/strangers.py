#!/usr/bin/env python3
"""Every operation of every service that botocore knows of ours, built or not, asked for
  - without credentials,
  - with a wrong signature,
  - by a user who has no policy.
Each must be refused with AWS's error, change nothing, and leave exactly one audit record. botocore writes the requests from its
own models, so nothing here is a list that somebody has to keep.

  strangers.py --data DIR      with AWS_ENDPOINT_URL and administrator credentials in the environment
"""
import argparse, collections, os, pathlib, random, re, sqlite3, sys, time

import boto3
import botocore.exceptions
import rstr
from botocore import UNSIGNED
from botocore.config import Config

SERVICES = ["accessanalyzer", "cloudtrail", "ec2", "ec2-instance-connect", "iam", "kms", "organizations", "s3", "s3control", "ssm", "sts"]
# What a principal may do whatever its policies say (IAM user guide, "Compare AWS STS credentials"; STS reference, GetCallerIdentity).
NEEDS_NO_PERMISSION = {("sts", "GetCallerIdentity"), ("sts", "GetSessionToken")}
# Their proof is in what they carry, not in a signature.
NEEDS_NO_SIGNATURE = {("sts", "AssumeRoleWithSAML"), ("sts", "AssumeRoleWithWebIdentity")}
# Answers for each key: 200, with AccessDenied in every entry.
ANSWERS_PER_KEY = {("s3", "DeleteObjects")}
# EC2 speaks of its first version's parameter.
# Older names of requests that are the same on the wire as `Get…Configuration` and `Put…Configuration`.
OLDER_NAMES = {("s3", n) for n in ("GetBucketLifecycle", "PutBucketLifecycle", "GetBucketNotification", "PutBucketNotification")}
# Have hosts of their own, which there are not (S3 Object Lambda, S3 Express): here they are a POST to a bucket, and a list of buckets
# signed for another service.
OTHER_HOST = {("s3", "WriteGetObjectResponse"), ("s3", "ListDirectoryBuckets"),
              # Of Outposts: it alone names no account, and is an object to be put into a bucket.
              ("s3control", "CreateBucket")}
# Of directory buckets: signed for S3 Express.
OTHER_HOST |= {("s3control", n) for n in ("GetAccessPointScope", "PutAccessPointScope", "DeleteAccessPointScope", "ListAccessPointsForDirectoryBuckets")}
MISSING = {"MissingAuthenticationToken", "MissingAuthenticationTokenException", "MissingParameter"}
WRONG = {"SignatureDoesNotMatch", "InvalidSignatureException", "AuthFailure"}
DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
BUCKET = "nobodys-bucket"
MADE = rstr.Rstr(random.Random(1))


def text(shape, name):
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max", 10**9)
    if shape.enum:
        return shape.enum[0]
    if name == "Bucket":
        return BUCKET
    if name == "Key":
        return "key"
    if name == "CopySource":
        return f"{BUCKET}/key"
    if name == "RoleArn":
        return "arn:aws:iam::123456789012:role/abcdef"
    pattern = shape.metadata.get("pattern")
    if name == "ResourceArn" and ":s3" in (pattern or ""):
        return f"arn:aws:s3:::{BUCKET}"
    if pattern and pattern not in (".*", r"[\s\S]*", ".+"):
        # What differs between the regular expressions of the models and Python's.
        pattern = re.sub(r"\\u\{?([0-9A-Fa-f]{4,6})\}?", lambda m: re.escape(chr(min(int(m[1], 16), 0xFFFF))), pattern)
        pattern = pattern.replace(r"\p{L}\p{M}\p{Z}\p{S}\p{N}\p{P}", "a-z").replace(r"\p{L}\p{Z}\p{N}", "a-z").replace("[[:alnum:]", "[a-zA-Z0-9")
        pattern = re.sub(r"\\p\{\w+\}", "a-z", pattern)
        rx = re.compile(pattern)
        for simple in ("a" * max(low, 3), "1" * max(low, 12), "1" * max(low, 1), "/", "/a/", "arn:aws:iam::123456789012:role/abcdef", "v1", "a-1", "us-east-1",
                       "arn:aws:s3:::abc", "arn:aws:s3:us-east-1:123456789012:accesspoint/abc", "a@b.cc", "ami-0123456789abcdef0"):
            if low <= len(simple) <= high and rx.fullmatch(simple):
                return simple
        for _ in range(500):
            # Anything but a colon need not be a control character, which XML cannot hold.
            made = MADE.xeger(pattern.lstrip("^").rstrip("$").replace("[^:]", "[a-z]"))
            if low <= len(made) <= high and made.isprintable():
                return made
    return "a" * min(max(low, 3), high)


def sample(shape, name="", seen=()):
    kind = shape.type_name
    if kind == "structure":
        if shape.name in seen:
            return {}
        if getattr(shape, "is_tagged_union", False) and shape.members:
            first = next(iter(shape.members))
            return {first: sample(shape.members[first], first, seen + (shape.name,))}
        # A structure that is required and has nothing in it could not be told from one that is missing.
        names = shape.required_members or (list(shape.members)[:1] if seen else [])
        return {m: sample(shape.members[m], m, seen + (shape.name,)) for m in names}
    if kind == "list":
        return [sample(shape.member, name, seen) for _ in range(max(1, shape.metadata.get("min", 1)))]
    if kind == "map":
        return {sample(shape.key, "", seen): sample(shape.value, "", seen)}
    if kind == "string":
        return text(shape, name)
    if kind in ("integer", "long"):
        return max(1, shape.metadata.get("min", 1))
    if kind in ("float", "double"):
        return float(max(1, shape.metadata.get("min", 1)))
    if kind == "boolean":
        return True
    if kind == "timestamp":
        return "2026-11-22T02:14:00Z"
    if kind == "blob":
        return b"x"
    raise ValueError(f"{kind} of {shape.name}")


class Log:
    """What the server's database says, read beside it: the state without the audit log, and the log."""

    def __init__(self, data):
        self.db = sqlite3.connect(f"file:{data}/state.db?mode=ro", uri=True)
        self.journals = [pathlib.Path(data, f"audit-{n}.journal") for n in (0, 1)]

    def state(self):
        # When a key was last used is written in the background, for refused requests too, as AWS does.
        return self.db.execute("SELECT count(*), max(modified) FROM kv WHERE key NOT LIKE 'last-used%'").fetchone()

    def last(self):
        return self.db.execute("SELECT coalesce(max(sequence), 0) FROM audit").fetchone()[0]

    def since(self, sequence):
        """The records from there on, once none waits to be moved here: request and what it was, of each."""
        deadline = time.monotonic() + 30
        while any(journal.stat().st_size for journal in self.journals):
            if time.monotonic() > deadline:
                sys.exit("the audit journal is not moved to the log")
            time.sleep(0.1)
        records = collections.defaultdict(list)
        for request, name in self.db.execute("SELECT request_id, event_name FROM audit WHERE sequence > ?", (sequence,)):
            records[request].append(name)
        return records


def ask(client, operation, parameters):
    try:
        answer = client._make_api_call(operation, parameters)
        return answer["ResponseMetadata"]["HTTPStatusCode"], "", answer
    except botocore.exceptions.ClientError as error:
        return error.response["ResponseMetadata"].get("HTTPStatusCode"), error.response["Error"].get("Code"), error.response


def judge(way, service, operation, status, code, answer):
    """Why an answer is not what it must be, or None."""
    name = operation.name
    head = operation.http["method"] == "HEAD"
    if (service, name) in OTHER_HOST:
        # 412: what is posted to a bucket and is no form (S3 API reference, POST Object).
        return None if status in (400, 403, 404, 405, 412) else f"status {status}"
    if (service, name) in NEEDS_NO_SIGNATURE:
        return None if status in (400, 403) else "it was not refused"
    if way != "forged" and (service, name) in ANSWERS_PER_KEY:
        errors = answer.get("Errors", [])
        return None if errors and all(e["Code"] == "AccessDenied" for e in errors) and not answer.get("Deleted") else "a key was not denied"
    if way == "stranger":
        if (service, name) in NEEDS_NO_PERMISSION:
            return None if status == 200 else "it needs no permission"
        expected = DENIED
    elif way == "anonymous":
        expected = {"AccessDenied"} if service in ("s3", "s3control") else MISSING
    else:
        expected = WRONG
    if status not in (400, 401, 403):
        return f"status {status} {code}"
    if head and code in (str(status),):
        return None
    return None if code in expected else f"{status} {code}: {answer['Error'].get('Message', '')[:200]}"


def name_host(client):
    """Without a signature only its host tells a request of Access Analyzer from one of S3."""
    def before_send(request, **_):
        request.headers["Host"] = "access-analyzer.us-east-1.amazonaws.com"
    client.meta.events.register("before-send.accessanalyzer", before_send)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", required=True)
    arguments.add_argument("--only")
    arguments = arguments.parse_args()
    endpoint, region = os.environ["AWS_ENDPOINT_URL"], os.environ.get("AWS_REGION", "us-east-1")
    settings = dict(retries={"total_max_attempts": 1}, parameter_validation=False, inject_host_prefix=False,
                    s3={"addressing_style": "path"})
    plain = Config(**settings)
    admin = boto3.Session(region_name=region)
    try:
        admin.client("s3", endpoint_url=endpoint, config=plain).create_bucket(Bucket=BUCKET)
    except botocore.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "NotImplemented":
            raise
    iam = admin.client("iam", endpoint_url=endpoint, config=plain)
    user = f"stranger-{os.getpid()}"
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    stranger = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=region)
    forger = boto3.Session(key["AccessKeyId"], "x" * 40, region_name=region)
    log = Log(arguments.data)
    failures, skipped, counts = [], 0, collections.Counter()
    for service in SERVICES:
        # Its host is ACCOUNT.127.0.0.1, whatever is said of prefixes: no DNS knows it, and a proxy is told it.
        settings["proxies"] = {"http": endpoint} if service == "s3control" else None
        plain = Config(**settings)
        ways = {
            "anonymous": stranger.client(service, endpoint_url=endpoint, config=Config(signature_version=UNSIGNED, **settings)),
            "forged": forger.client(service, endpoint_url=endpoint, config=plain),
            "stranger": stranger.client(service, endpoint_url=endpoint, config=plain),
        }
        if service == "accessanalyzer":
            name_host(ways["anonymous"])
        model = ways["stranger"].meta.service_model
        log.since(log.last())  # what was asked before is in the log
        asked, beginning = {}, log.last()
        for name in model.operation_names:
            operation = model.operation_model(name)
            if (service, name) in OLDER_NAMES:
                skipped += 1
                continue
            if arguments.only and arguments.only not in f"{service}:{name}":
                continue
            parameters = sample(operation.input_shape) if operation.input_shape else {}
            for way, client in ways.items():
                state = log.state()
                what = f"{service}:{name} ({way})"
                try:
                    status, code, answer = ask(client, name, parameters)
                except Exception as error:  # a request that could not be made is a failure too
                    failures.append(f"{what}: {type(error).__name__}: {error}")
                    continue
                counts[way] += 1
                wrong = judge(way, service, operation, status, code, answer)
                if wrong:
                    failures.append(f"{what}: {wrong}")
                asked[answer["ResponseMetadata"].get("RequestId")] = (what, name, (service, name) in OTHER_HOST)
                if log.state() != state:
                    failures.append(f"{what}: the state changed")
        records = log.since(beginning)
        for request, (what, name, elsewhere) in asked.items():
            found = records.pop(request, [])
            if found != [name] and not (elsewhere and len(found) == 1 and found[0] in ("ListBuckets", "PostObject", "PutObject", "")):
                failures.append(f"{what}: audit records {found}")
        failures += [f"{service}: records {names} of a request that was not made" for names in records.values()]
    iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName=user)
    for failure in failures:
        print(f"not ok - {failure}")
    total = sum(counts.values())
    print(f"{total - len(failures)} passed, {len(failures)} failed, {skipped} skipped")
    sys.exit(1 if failures or not total else 0)


main()
