"""MinIO's client for Python."""

import io
import urllib.request

from checks import ENDPOINT, KEY, ODD_KEYS, SECRET, check, payload
from minio import Minio
from minio.commonconfig import REPLACE, ComposeSource, CopySource, Tags
from minio.deleteobjects import DeleteObject

BUCKET = "minio-py"
client = Minio(**({"endpoint": ENDPOINT.removeprefix("http://"), "access_key": KEY, "secret_key": SECRET, "secure": False, "region": "us-east-1"}))
client.make_bucket(bucket_name=BUCKET)
big = payload((11 << 20) + 5)


def put(key, data, **more):
    return client.put_object(bucket_name=BUCKET, object_name=key, data=io.BytesIO(data), length=len(data), **more)


def read(key, **more):
    answer = client.get_object(bucket_name=BUCKET, object_name=key, **more)
    try:
        return answer.read()
    finally:
        answer.close()
        answer.release_conn()


def objects():
    put("small", b"hello", content_type="text/x", metadata={"colour": "blue"})
    stat = client.stat_object(bucket_name=BUCKET, object_name="small")
    assert (stat.size, stat.content_type, stat.metadata["x-amz-meta-colour"]) == (5, "text/x", "blue"), stat
    assert read("small") == b"hello"


def multipart():
    put("big", big, part_size=5 << 20)
    assert read("big") == big and read("big", offset=7, length=9) == big[7:16]


def copies():
    client.copy_object(bucket_name=BUCKET, object_name="copy", source=CopySource(bucket_name=BUCKET, object_name="small"), metadata={"colour": "red"}, metadata_directive=REPLACE)
    assert client.stat_object(bucket_name=BUCKET, object_name="copy").metadata["x-amz-meta-colour"] == "red"
    sources = [ComposeSource(bucket_name=BUCKET, object_name=name) for name in ("big", "small")]
    client.compose_object(bucket_name=BUCKET, object_name="composed", sources=sources)
    assert read("composed") == big + b"hello"


def presigned():
    url = client.get_presigned_url(method="PUT", bucket_name=BUCKET, object_name="by url")
    urllib.request.urlopen(urllib.request.Request(url, b"hello", method="PUT"))
    assert urllib.request.urlopen(client.get_presigned_url(method="GET", bucket_name=BUCKET, object_name="by url")).read() == b"hello"


def odd_keys():
    # It refuses names with `..` in them itself.
    keys = [key for key in ODD_KEYS if ".." not in key]
    for key in keys:
        put("odd/" + key, key.encode())
        assert read("odd/" + key) == key.encode(), key
    listed = [item.object_name for item in client.list_objects(bucket_name=BUCKET, prefix="odd/", recursive=True)]
    assert listed == sorted(("odd/" + key for key in keys), key=str.encode), listed
    assert not list(client.remove_objects(bucket_name=BUCKET, delete_object_list=[DeleteObject(name) for name in listed]))


def tags():
    wanted = Tags.new_object_tags()
    wanted["a"] = "b c"
    client.set_object_tags(bucket_name=BUCKET, object_name="small", tags=wanted)
    assert client.get_object_tags(bucket_name=BUCKET, object_name="small") == wanted


for name, function in list(globals().items()):
    if name in ("objects", "multipart", "copies", "presigned", "odd_keys", "tags"):
        check(f"minio-py {name}", function)
