"""A pytest plugin: what ceph/s3-tests takes for granted of a server, and AWS stopped doing, is done here instead.

* Buckets that AWS makes since April 2023 have no ACLs and block public access. The suite's buckets are brought to what
  buckets were before: ownership controls and the public access block are taken away right after each is made, and an ACL
  of the request is put afterwards. Where the request itself names an ownership, it stays.
* Buckets that AWS makes since April 2026 take no objects that are encrypted with keys of the caller. The suite's buckets do.
* Owners and grantees have no display name in AWS's answers since November 2025. The suite compares them, so those that its
  own configuration names are filled in by id.
"""

import base64
import configparser
import datetime
import hashlib
import hmac
import json
import os
from collections import OrderedDict

import botocore.client
import requests

ACL = ("ACL", "GrantFullControl", "GrantRead", "GrantReadACP", "GrantWrite", "GrantWriteACP")
TAKES_ALL = {
    "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
    "BlockedEncryptionTypes": {"EncryptionType": ["NONE"]},
}
call = botocore.client.BaseClient._make_api_call


def display_names():
    config = configparser.RawConfigParser()
    config.read(os.environ.get("S3TEST_CONF", os.devnull))
    sections = [s for s in config.sections() if config.has_option(s, "user_id") and config.has_option(s, "display_name")]
    return {config.get(s, "user_id"): config.get(s, "display_name") for s in reversed(sections)}


NAMES = display_names()


def with_names(value):
    if isinstance(value, list):
        for item in value:
            with_names(item)
    elif isinstance(value, dict):
        # The suite compares grants in an order that depends on the names: groups, which have none, come first.
        if isinstance(value.get("Grants"), list):
            value["Grants"].sort(key=lambda grant: "URI" not in grant["Grantee"])
        if value.get("ID") in NAMES and "DisplayName" not in value:
            value["DisplayName"] = NAMES[value["ID"]]
        for item in value.values():
            with_names(item)
    return value


def make_api_call(self, operation, parameters):
    if self.meta.service_model.service_name != "s3":
        return call(self, operation, parameters)
    if operation != "CreateBucket":
        return with_names(call(self, operation, parameters))
    acl = {name: parameters[name] for name in ACL if name in parameters}
    answer = call(self, operation, {k: v for k, v in parameters.items() if k not in acl})
    bucket = {"Bucket": parameters["Bucket"]}
    if "ObjectOwnership" not in parameters:
        call(self, "DeleteBucketOwnershipControls", bucket)
    call(self, "DeletePublicAccessBlock", bucket)
    call(self, "PutBucketEncryption", {**bucket, "ServerSideEncryptionConfiguration": {"Rules": [TAKES_ALL]}})
    if acl:
        call(self, "PutBucketAcl", {**bucket, **acl})
    return answer


botocore.client.BaseClient._make_api_call = make_api_call

# The suite signs its forms with version 2 of AWS's signatures, which new regions of AWS and Daypass refuse. A form that is
# signed well is signed again with version 4; its policy is given conditions for the fields that this takes. One that is not,
# is sent with a signature of version 4 that is as wrong.


def secrets():
    config = configparser.RawConfigParser()
    config.read(os.environ.get("S3TEST_CONF", os.devnull))
    sections = [s for s in config.sections() if config.has_option(s, "access_key")]
    return {config.get(s, "access_key"): config.get(s, "secret_key") for s in sections}


SECRETS = secrets()
post = requests.post


def text(value):
    return value.decode() if isinstance(value, bytes) else value


def signed_again(form):
    fields = OrderedDict(form)
    access_key = text(fields.pop("AWSAccessKeyId"))
    signature, policy = fields.pop("signature", None), None
    name = next((name for name in fields if name.lower() == "policy"), None)
    policy = fields[name] if name else None
    secret = SECRETS.get(access_key, "nobody's")
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{now[:8]}/us-east-1/s3/aws4_request"
    added = {"x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-credential": f"{access_key}/{scope}", "x-amz-date": now}
    if policy is not None:
        raw = policy if isinstance(policy, bytes) else policy.encode()
        right = base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha1).digest())
        is_right = signature is not None and text(signature) == text(right)
        try:
            document = json.loads(base64.b64decode(raw))
            if isinstance(document.get("conditions"), list):
                document["conditions"] += [{name: value} for name, value in added.items()]
                raw = base64.b64encode(json.dumps(document).encode())
        except ValueError:
            pass
        key = ("AWS4" + secret).encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        again = hmac.new(key, raw, hashlib.sha256).hexdigest()
        fields[name] = raw
        if signature is not None:
            added["x-amz-signature"] = again if is_right else "0" * 64
    elif signature is not None:
        added["x-amz-signature"] = "0" * 64
    file = fields.pop("file", None)
    fields.update(added)
    if file is not None:
        fields["file"] = file
    return fields


def posted(url, *arguments, **options):
    files = options.get("files")
    if isinstance(files, dict) and "AWSAccessKeyId" in files:
        options["files"] = signed_again(files)
    return post(url, *arguments, **options)


requests.post = posted
