#!/usr/bin/env python3
"""Records how botocore signs requests, for tests/sigv4/botocore.rs.

    pip install botocore==1.43.11 awscrt
    python3 crates/wire/tests/sigv4_botocore.py > crates/wire/tests/data/sigv4-botocore.json

Nothing is sent: each request is caught before it would be. The time is the one of AWS's signing test suite. The requests with
a long-term key are signed by botocore itself, those of a session by AWS's C library (awscrt).
"""
import base64
import datetime
import io
import json
import sys
import uuid

import botocore
import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.crt.auth
import botocore.httpchecksum
import botocore.session

NOW = datetime.datetime(2015, 8, 30, 12, 36, 0, tzinfo=datetime.timezone.utc)
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
LONG_TERM = ("AKIDEXAMPLE", SECRET, None)
SESSION = ("ASIAEXAMPLE", SECRET, "FwoGZXIvYXdzEXAMPLE+token/with=signs")

botocore.auth.get_current_datetime = botocore.crt.auth.get_current_datetime = lambda **_: NOW
uuid.uuid4 = lambda: uuid.UUID(int=0)
OWN_SIGNERS = {"v4": botocore.auth.SigV4Auth, "v4-query": botocore.auth.SigV4QueryAuth, "s3v4": botocore.auth.S3SigV4Auth,
               "s3v4-query": botocore.auth.S3SigV4QueryAuth}
# Chunks of the least size that S3 takes, not of 1 MiB, to keep the file small.
botocore.httpchecksum.AwsChunkedWrapper.__init__.__defaults__ = (None, None, 8192)
records = []


class Response(io.BytesIO):
    """As much of a response as keeps botocore from complaining."""

    def stream(self, *_, **__):
        yield self.getvalue()


def client(service, credentials=LONG_TERM, endpoint=None, **config):
    key_id, secret, token = credentials
    settings = {"retries": {"max_attempts": 0}, "parameter_validation": False, **config}
    return botocore.session.Session().create_client(
        service, region_name="us-east-1", endpoint_url=endpoint, aws_access_key_id=key_id, aws_secret_access_key=secret,
        aws_session_token=token, config=botocore.config.Config(**settings))


def target_of(url):
    after_host = url.split("://", 1)[1]
    cut = min((i for i in (after_host.find("/"), after_host.find("?")) if i >= 0), default=len(after_host))
    target = after_host[cut:]
    return after_host[:cut], target if target.startswith("/") else "/" + target


def add(name, family, service, method, url, headers, body):
    host, target = target_of(url)
    text = lambda value: value.decode("latin-1") if isinstance(value, bytes) else str(value)
    lines = [[key, text(value)] for key, value in headers.items() if key.lower() != "user-agent"]
    if not any(key.lower() == "host" for key, _ in lines):
        lines.insert(0, ["Host", host])
    body = body.read() if hasattr(body, "read") else body or b""
    body = body.encode() if isinstance(body, str) else bytes(body)
    records.append(dict(name=name, family=family, service=service, method=method, target=target, headers=lines,
                        body=base64.b64encode(body).decode()))


def call(name, family, service, client, operation, **arguments):
    def caught(request, **_):
        add(name, family, service, request.method, request.url, request.headers, request.body)
        return botocore.awsrequest.AWSResponse(request.url, 200, {}, Response(b"{}" if "json" in family else b"<a/>"))

    client.meta.events.register("before-send.*", caught)
    try:
        getattr(client, operation)(**arguments)
    except Exception as error:  # the empty answers are not always to botocore's taste
        if not records or records[-1]["name"] != name:
            raise SystemExit(f"{name}: {error}")
    client.meta.events.unregister("before-send.*", caught)


def presigned(name, family, service, client, operation, method="GET", body=b"", headers=None, expires=300, **arguments):
    url = client.generate_presigned_url(operation, Params=arguments, ExpiresIn=expires, HttpMethod=method)
    add(name, family, service, method, url, headers or {}, body)


def main():
    for kind, credentials, signers in (("long-term", LONG_TERM, OWN_SIGNERS),
                                       ("session", SESSION, botocore.crt.auth.CRT_AUTH_TYPE_MAPS)):
        botocore.auth.AUTH_TYPE_MAPS.update(signers)
        sts, iam, ec2 = (client(name, credentials) for name in ("sts", "iam", "ec2"))
        call(f"sts {kind}", "query", "sts", sts, "get_caller_identity")
        call(f"sts assume-role {kind}", "query", "sts", sts, "assume_role", RoleArn="arn:aws:iam::123456789012:role/a+b=c",
             RoleSessionName="session", Policy='{"Version":"2012-10-17","Statement":[]}', DurationSeconds=900)
        call(f"iam {kind}", "query", "iam", iam, "create_user", UserName="zoë & co", Path="/a/b/")
        call(f"ec2 {kind}", "ec2", "ec2", ec2, "describe_instances",
             Filters=[{"Name": "tag:Name", "Values": ["a b", "c*", "~"]}], MaxResults=5)
        trail = client("cloudtrail", credentials)
        call(f"cloudtrail {kind}", "json", "cloudtrail", trail, "lookup_events", MaxResults=1)
        analyzer = client("accessanalyzer", credentials)
        call(f"accessanalyzer {kind}", "rest-json", "access-analyzer", analyzer, "get_analyzer", analyzerName="a b/c:d+é")
        call(f"accessanalyzer query {kind}", "rest-json", "access-analyzer", analyzer, "list_analyzers", type="ACCOUNT",
             nextToken="a=b&c/d+e f")
        call(f"accessanalyzer arn {kind}", "rest-json", "access-analyzer", analyzer, "list_tags_for_resource",
             resourceArn="arn:aws:access-analyzer:us-east-1:123456789012:analyzer/a b")
        presigned(f"sts presigned {kind}", "query", "sts", sts, "get_caller_identity", expires=60)

        plain = client("s3", credentials, "http://s3.example.com:9000", s3={"addressing_style": "path"})
        secure = client("s3", credentials, "https://s3.example.com", s3={"addressing_style": "path"})
        virtual = client("s3", credentials, s3={"addressing_style": "virtual"})
        presigner = client("s3", credentials, "https://s3.example.com", signature_version="s3v4",
                           s3={"addressing_style": "path"})
        call(f"s3 list {kind}", "s3", "s3", plain, "list_objects_v2", Bucket="bucket", Prefix="a+b c/é", Delimiter="/")
        call(f"s3 location {kind}", "s3", "s3", plain, "get_bucket_location", Bucket="bucket")
        for index, key in enumerate(["plain", "a b+c~d=e'f\"(g)!*;:@&$,", "данные/日本/é", "a%2Fb%25", "dir//sub///x", ".", "../x",
                                     "trail/", "e\u0301\U0001F600"]):
            call(f"s3 get {index} {kind}", "s3", "s3", plain, "get_object", Bucket="bucket", Key=key)
        call(f"s3 virtual host {kind}", "s3", "s3", virtual, "get_object", Bucket="my-bucket", Key="a/b")
        call(f"s3 put over http {kind}", "s3", "s3", plain, "put_object", Bucket="bucket", Key="k", Body=b"hello" * 10,
             Metadata={"A": "  two  words ", "b": "x"}, ContentType="text/plain", Tagging="a=b&c=d")
        for algorithm in ("CRC32", "CRC32C", "SHA1", "SHA256", "CRC64NVME"):
            call(f"s3 put over https {algorithm} {kind}", "s3", "s3", secure, "put_object", Bucket="bucket", Key="k",
                 Body=io.BytesIO(b"hello " * 20), ChecksumAlgorithm=algorithm)
        call(f"s3 empty put over https {kind}", "s3", "s3", secure, "put_object", Bucket="bucket", Key="k", Body=b"")
        call(f"s3 big put over https {kind}", "s3", "s3", secure, "put_object", Bucket="bucket", Key="k",
             Body=io.BytesIO(b"0123456789abcdef" * 700))
        call(f"s3 upload part {kind}", "s3", "s3", secure, "upload_part", Bucket="bucket", Key="k", UploadId="a+b/c=",
             PartNumber=1, Body=io.BytesIO(b"x" * 200))
        call(f"s3 delete objects {kind}", "s3", "s3", plain, "delete_objects", Bucket="bucket",
             Delete={"Objects": [{"Key": "a<b>&c"}]})
        call(f"s3 put tagging {kind}", "s3", "s3", secure, "put_bucket_tagging", Bucket="bucket",
             Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
        presigned(f"s3 presigned get {kind}", "s3", "s3", presigner, "get_object", Bucket="bucket", Key="a b+c/é",
                  ResponseContentDisposition='attachment; filename="a+b c.txt"', expires=604800)
        presigned(f"s3 presigned put {kind}", "s3", "s3", presigner, "put_object", method="PUT", body=b"anything",
                  headers={"Content-Type": "text/plain"}, Bucket="bucket", Key="k", ContentType="text/plain")
        presigned(f"s3 presigned part {kind}", "s3", "s3", presigner, "upload_part", method="PUT", body=b"anything",
                  Bucket="bucket", Key="k", UploadId="a+b/c=", PartNumber=3)
    json.dump(dict(botocore=botocore.__version__, records=records), sys.stdout, indent=1, ensure_ascii=True)
    print()


if __name__ == "__main__":
    main()
