"""boto3's transfer manager and client, with their defaults."""

import io
import urllib.request

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from checks import ENDPOINT, KEY, ODD_KEYS, SECRET, check, payload

BUCKET = "boto3-client"
s3 = boto3.Session(KEY, SECRET, region_name="us-east-1").client("s3", endpoint_url=ENDPOINT, config=Config(s3={"addressing_style": "path"}))
s3.create_bucket(Bucket=BUCKET)
parts = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20, max_concurrency=4)
big = payload((12 << 20) + 17)


def transfers():
    s3.upload_fileobj(io.BytesIO(big), BUCKET, "big", ExtraArgs={"Metadata": {"colour": "blue"}, "ContentType": "text/x"}, Config=parts)
    head = s3.head_object(Bucket=BUCKET, Key="big", ChecksumMode="ENABLED")
    assert head["ETag"].endswith('-3"') and head["Metadata"] == {"colour": "blue"} and head["ContentType"] == "text/x", head
    assert head["ChecksumCRC32"], head
    read = io.BytesIO()
    s3.download_fileobj(BUCKET, "big", read, Config=parts)
    assert read.getvalue() == big


def copies():
    s3.copy({"Bucket": BUCKET, "Key": "big"}, BUCKET, "copy", Config=parts)
    assert s3.get_object(Bucket=BUCKET, Key="copy")["Body"].read() == big


def ranges():
    for asked, expected in [("bytes=0-9", big[:10]), ("bytes=-7", big[-7:]), (f"bytes={len(big) - 3}-", big[-3:])]:
        answer = s3.get_object(Bucket=BUCKET, Key="big", Range=asked)
        assert answer["Body"].read() == expected and answer["ResponseMetadata"]["HTTPStatusCode"] == 206, asked
    assert s3.get_object(Bucket=BUCKET, Key="big", PartNumber=2)["Body"].read() == big[5 << 20 : 10 << 20]


def presigned():
    # In us-east-1, boto3 signs URLs with version 2 unless told otherwise, which S3 takes for buckets made before June 2020.
    signer = boto3.Session(KEY, SECRET, region_name="us-east-1").client("s3", endpoint_url=ENDPOINT, config=Config(signature_version="s3v4"))
    url = signer.generate_presigned_url("put_object", {"Bucket": BUCKET, "Key": "by url"})
    urllib.request.urlopen(urllib.request.Request(url, b"hello", method="PUT"))
    url = signer.generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": "by url"})
    assert urllib.request.urlopen(url).read() == b"hello"


def odd_keys():
    for key in ODD_KEYS:
        s3.put_object(Bucket=BUCKET, Key="odd/" + key, Body=key.encode())
        assert s3.get_object(Bucket=BUCKET, Key="odd/" + key)["Body"].read() == key.encode(), key
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="odd/", PaginationConfig={"PageSize": 3})
    listed = [item["Key"] for page in pages for item in page["Contents"]]
    assert listed == sorted(("odd/" + key for key in ODD_KEYS), key=str.encode), listed
    gone = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key} for key in listed]})
    assert len(gone["Deleted"]) == len(ODD_KEYS) and "Errors" not in gone, gone


def streams():
    class Unseekable(io.RawIOBase):
        left = payload(100_000)

        def readable(self):
            return True

        def read(self, size=-1):
            taken, self.left = self.left[:size], self.left[size:]
            return taken

    s3.upload_fileobj(Unseekable(), BUCKET, "stream")
    assert s3.get_object(Bucket=BUCKET, Key="stream")["Body"].read() == payload(100_000)


for name, function in list(globals().items()):
    if name in ("transfers", "copies", "ranges", "presigned", "odd_keys", "streams"):
        check(f"boto3 {name}", function)
