#!/usr/bin/env python3
"""The wire oracle: for every operation of every table botocore writes a request and we read it, we write an answer and
botocore reads it; the values must be the same. Error bodies of every service too.

  wire_oracle.py PATH/TO/oracle        (built by `cargo build --release -p daypass-wire --example oracle`)
"""
import base64, datetime, json, re, subprocess, sys, urllib.parse

import botocore.awsrequest
import botocore.compat
import botocore.parsers
import botocore.serialize
import botocore.session
from botocore.awsrequest import AWSRequest

SERVICES = ["accessanalyzer", "cloudtrail", "ec2", "ec2-instance-connect", "iam", "kms", "organizations", "s3", "ssm", "sts"]
# Their routes belong to a newer operation, or to S3 Express: no client of ours sends them.
NOT_ROUTED = {"GetBucketLifecycle", "PutBucketLifecycle", "GetBucketNotification", "PutBucketNotification",
              "ListDirectoryBuckets", "WriteGetObjectResponse"}
WHEN = datetime.datetime(2026, 11, 22, 2, 14, 0, tzinfo=datetime.timezone.utc)


def fill(shape, depth, full=True, path=()):
    """A value that uses every member, down to a depth; two items in each list."""
    kind = shape.type_name
    if kind == "structure":
        if depth == 0:
            return None
        out = {}
        for name, member in shape.members.items():
            if member.serialization.get("eventstream") or member.serialization.get("streaming") or name in ("Body",):
                continue
            if getattr(member, "is_eventstream", False):
                continue
            value = fill(member, depth - 1, full, path + (name,))
            if value is not None and value != {}:
                out[name] = value
        if getattr(shape, "is_tagged_union", False) and out:
            name = next(iter(out))
            out = {name: out[name]}
        return out
    if kind == "list":
        value = fill(shape.member, depth, full, path)
        if value is None or value == {}:
            return None  # what is empty leaves no trace in a form
        return [value] * max(2, shape.metadata.get("min", 0)) if shape.metadata.get("max", 2) >= 2 else [value]
    if kind == "map":
        value = fill(shape.value, depth, full, path)
        key = "x-y" if shape.serialization.get("location") == "headers" else fill(shape.key, depth, full, path)
        if shape.serialization.get("location") == "headers":
            value = "plain"
        return None if value is None else {key: value}
    if kind == "string":
        if shape.enum:
            return shape.enum[0]
        return text(shape)
    if kind in ("integer", "long"):
        return min(max(1, shape.metadata.get("min", 1)), shape.metadata.get("max", 2**31))
    return {"boolean": True, "double": 1.5, "float": 1.5, "timestamp": WHEN, "blob": b"\x00\xffxx"}[kind]


def text(shape):
    low = max(1, shape.metadata.get("min", 1))
    plain = "x" * low
    pattern = shape.metadata.get("pattern")
    if pattern is None:
        return ("a<&> ä" if low < 6 and shape.metadata.get("max", 99) > 6 else plain)
    for candidate in (plain, "1" * low, "12345678901234567890"[: max(low, 12)], "arn:aws:iam::123456789012:role/x", "a-1234567890", "aa:bb", "/" + "x" * max(1, low - 1), "r-abcd", "o-abcdefghij"):
        try:
            if re.fullmatch(java(pattern), candidate) and low <= len(candidate) <= shape.metadata.get("max", 10**6):
                return candidate
        except re.error:
            break
    return plain


def java(pattern):
    return pattern.replace(r"\u10000-\u10FFFF", "\U00010000-\U0010FFFF").replace(r"\p{L}", "a-zA-Z").replace(r"\p{Z}", " ").replace(r"\p{N}", "0-9").replace(r"\p{Alnum}", "a-zA-Z0-9").replace(r"\p{Alpha}", "a-zA-Z").replace(r"\p{Punct}", "!-/:-@")


def plain(value):
    """Values as the other side prints them."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if k != "ResponseMetadata"}
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def request_line(service, model, operation, params):
    serializer = botocore.serialize.create_serializer(model.metadata["protocol"], False)
    request = serializer.serialize_to_request(params, operation)
    body, headers = request["body"], dict(request["headers"])
    if isinstance(body, dict):
        body = urllib.parse.urlencode(body)
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
    if isinstance(body, str):
        body = body.encode()
    query = request.get("query_string", "")
    path = request["url_path"]
    if isinstance(query, dict) or isinstance(query, list):
        prepared = AWSRequest(request["method"], "http://h" + path, params=query).prepare()
        path = prepared.url[len("http://h"):]
    # botocore sends header values as UTF-8
    headers = {k: v.decode() if isinstance(v, bytes) else v for k, v in headers.items()}
    return dict(kind="request", method=request["method"], uri=path, headers=headers,
                body=base64.b64encode(body or b"").decode(),
                scope="access-analyzer" if service == "accessanalyzer" else None)


def main():
    session = botocore.session.get_session()
    lines, checks = [], []
    for service in SERVICES:
        model = session.get_service_model(service)
        parser = botocore.parsers.create_parser(model.metadata["protocol"])
        for name in model.operation_names:
            operation = model.operation_model(name)
            for depth in (1, 6):
                params = (fill(operation.input_shape, depth) if operation.input_shape else {}) or {}
                if name not in NOT_ROUTED and not (service == "s3" and name == "SelectObjectContent" and depth == 1):
                    lines.append(request_line(service, model, operation, params))
                    checks.append(("request", service, name, plain(params), None, operation))
                shape = operation.output_shape
                if shape is None or name in NOT_ROUTED or getattr(operation, "has_event_stream_output", False):
                    continue
                output = fill(shape, depth) or {}
                lines.append(dict(kind="answer", service=service, operation=name, output=plain(output)))
                checks.append(("answer", service, name, plain(output), parser, operation))
        lines.append(dict(kind="fault", service=service, code="SomeCode", message="a <b> & \"c\" ä"))
        checks.append(("fault", service, "", None, parser, None))
    run = subprocess.run([sys.argv[1]], input="\n".join(json.dumps(l) for l in lines) + "\n", capture_output=True, text=True)
    answers = [json.loads(l) for l in run.stdout.splitlines()]
    if len(answers) != len(lines):
        print(run.stderr[-2000:])
        print(f"{len(answers)} answers to {len(lines)} lines")
        return 1
    passed = failed = 0
    for (kind, service, name, want, parser, operation), got in zip(checks, answers):
        problem = verify(kind, service, name, want, parser, operation, got)
        if problem:
            failed += 1
            if failed <= 40:
                print(f"not ok {kind} {service}:{name}: {problem}")
        else:
            passed += 1
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return failed != 0


def difference(want, got, path=""):
    if isinstance(want, dict) and isinstance(got, dict):
        for key in sorted(set(want) | set(got)):
            if key not in got:
                return f"{path}.{key} is lost"
            if key not in want:
                return f"{path}.{key} was not sent"
            inner = difference(want[key], got[key], f"{path}.{key}")
            if inner:
                return inner
        return None
    if isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        return next((d for d in (difference(a, b, f"{path}[]") for a, b in zip(want, got)) if d), None)
    return None if want == got else f"{path}: sent {want!r:.80}, got {got!r:.80}"


def verify(kind, service, name, want, parser, operation, got):
    if kind == "request":
        if got.get("operation") != name or "input" not in got:
            return json.dumps(got)[:300]
        if "Expires" in got["input"] and service == "s3":
            want["Expires"] = botocore.compat.formatdate(WHEN.timestamp(), usegmt=True)  # a text in the model
        return difference(want, got["input"])
    headers = botocore.awsrequest.HeadersDict(got["headers"])
    response = dict(body=base64.b64decode(got["body"]), headers=headers, status_code=got["status"])
    if kind == "fault":
        error = parser.parse(response, None)["Error"]
        return difference({"Code": "SomeCode", "Message": "a <b> & \"c\" ä"}, {k: error.get(k) for k in ("Code", "Message")})
    shape = operation.output_shape
    parsed = parser.parse(response, shape)
    if "Error" in parsed and "Error" not in shape.members:
        return str(parsed["Error"])
    parsed = plain(parsed)
    if name == "GetBucketLocation":
        # botocore itself reads this one answer by a handler, not by its model
        parsed = {"LocationConstraint": re.search(r"<LocationConstraint[^>]*>([^<]*)<", response["body"].decode()).group(1)}
    return difference(want, {k: v for k, v in parsed.items() if k != "Body" and not (isinstance(v, (dict, list)) and not v and k not in want)})


if __name__ == "__main__":
    sys.exit(main())
