#!/usr/bin/env python3
"""Attacks by the holder of a presigned URL, who has no key: no header or parameter that is added makes another request of it.

    presigned.py --endpoint URL --access-key AKIA… --secret-key … [--session-token …]

Each URL is used as it is first, so that a refusal means something. Ends with 'N passed, N failed'.
"""
import argparse
import http.client
import sys
import urllib.parse
import uuid

import boto3
from botocore.config import Config

SECRET = b"TOP-SECRET"
# What a stranger may try to add to an upload that was meant for one key.
HEADERS = {"x-amz-copy-source": "/{victim}/secret", "x-amz-acl": "public-read", "x-amz-grant-read": "uri=http://acs.amazonaws.com/groups/global/AllUsers",
           "x-amz-tagging": "a=b", "x-amz-meta-a": "b", "x-amz-storage-class": "GLACIER", "x-amz-website-redirect-location": "https://example.com/",
           "x-amz-server-side-encryption": "aws:kms", "x-amz-object-lock-mode": "COMPLIANCE", "x-amz-security-token": "other",
           "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "x-amz-expected-bucket-owner": "111111111111"}
PARAMETERS = ["acl", "tagging", "retention", "legal-hold", "uploads", "attributes", "versionId=null", "partNumber=1&uploadId=x", "x-amz-acl=public-read",
              "x-id=CopyObject", "X-Amz-Expires=604800", "Expires=9999999999", "response-content-type=text/html", "torrent", "select&select-type=2"]
passed, failed = 0, 0


def report(name, good, seen):
    global passed, failed
    passed, failed = passed + good, failed + (not good)
    print(f"{'ok' if good else 'FAIL'}  {name}: {seen}")


def send(method, url, headers=None, body=None):
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    connection.request(method, f"{parts.path}?{parts.query}", body=body, headers=headers or {})
    answer = connection.getresponse()
    return answer.status, answer.read()


def main():
    options = argparse.ArgumentParser(description=__doc__)
    for name in ("endpoint", "access-key", "secret-key"):
        options.add_argument(f"--{name}", required=True)
    options.add_argument("--session-token")
    options = options.parse_args()

    def client(version):
        return boto3.client("s3", endpoint_url=options.endpoint, region_name="us-east-1", aws_access_key_id=options.access_key,
                            aws_secret_access_key=options.secret_key, aws_session_token=options.session_token,
                            config=Config(signature_version=version, s3={"addressing_style": "path"}))

    owner, suffix = client("s3v4"), uuid.uuid4().hex[:8]
    victim, drop = f"victim-{suffix}", f"drop-{suffix}"
    for bucket in (victim, drop):
        owner.create_bucket(Bucket=bucket)
    owner.put_object(Bucket=victim, Key="secret", Body=SECRET)
    # None is what boto3 signs when it is not told: in us-east-1, Signature Version 2.
    for version in ("s3v4", None):
        signer, words = client(version), version or "boto3's default"
        for method, operation in (("GET", "get_object"), ("PUT", "put_object"), ("HEAD", "head_object"), ("DELETE", "delete_object")):
            url = lambda: signer.generate_presigned_url(operation, Params={"Bucket": drop, "Key": "mine"}, ExpiresIn=300)
            own = b"mine" if method == "PUT" else None
            owner.put_object(Bucket=drop, Key="mine", Body=b"mine")
            status, _ = send(method, url(), body=own)
            report(f"{words} {method}: the URL as it is works", status in (200, 204), status)
            owner.put_object(Bucket=drop, Key="mine", Body=b"mine")
            for name, value in HEADERS.items():
                status, body = send(method, url(), {name: value.format(victim=victim)}, own)
                report(f"{words} {method} with {name}", status in (400, 403) and SECRET not in body, status)
            for parameter in PARAMETERS:
                status, _ = send(method, f"{url()}&{parameter}", body=own)
                report(f"{words} {method} with &{parameter}", status in (400, 403), status)
            for name, changed in (("another bucket", url().replace(drop, victim)), ("another key", url().replace("/mine", "/secret")),
                                  ("a path that climbs", url().replace("/mine", f"/../{victim}/secret"))):
                status, body = send(method, changed, body=own)
                report(f"{words} {method} of {name}", status == 403 and SECRET not in body, status)
            for other in {"GET", "PUT", "HEAD", "DELETE", "POST"} - {method}:
                status, _ = send(other, url(), body=own)
                report(f"{words} {method} sent as {other}", status in (400, 403, 405), status)
            kept = owner.get_object(Bucket=drop, Key="mine")["Body"].read()
            report(f"{words} {method}: the object is as it was", kept == b"mine", kept)
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


main()
