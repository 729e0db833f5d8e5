"""A pytest plugin: the provider of identities that ceph/s3-tests asks for, which it takes to be Keycloak at localhost:8080.

It is served by the process that the suite was begun with, over TLS and with an authority of its own, on ISSUER_PORT. Where the
suite's words differ from AWS's they are changed:

* What Ceph calls `app_id` in conditions is `aud`; AWS wants the audiences listed with the provider.
* The provider's port is that which it has here.
"""

import base64
import hashlib
import http.server
import json
import os
import ssl
import subprocess
import tempfile
import threading
import time

import botocore.client

PORT = os.environ.get("ISSUER_PORT", "8080")
REALM, AUDIENCE, SUBJECT = "demorealm", "account", "c94d2f9c-7f0d-4c3b-a7c9-2d4a1f1b0a11"
PATH = f"/auth/realms/{REALM}"
ISSUER = f"https://localhost:{PORT}{PATH}"
WORDS = [("localhost:8080", f"localhost:{PORT}"), (":app_id", ":aud")]
call = botocore.client.BaseClient._make_api_call


def openssl(*arguments, **more):
    return subprocess.run(["openssl", *arguments], capture_output=True, check=True, **more).stdout


def encoded(value):
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def certificates(place):
    """An authority and what it signed for localhost; the authority's thumbprint."""
    new = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2")
    openssl(*new, "-keyout", f"{place}/ca.key", "-out", f"{place}/ca.pem", "-subj", "/CN=tests", "-addext", "keyUsage=keyCertSign")
    authority = ("-CA", f"{place}/ca.pem", "-CAkey", f"{place}/ca.key")
    names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE")
    openssl(*new, *authority, "-keyout", f"{place}/key.pem", "-out", f"{place}/leaf.pem", *names)
    with open(f"{place}/chain.pem", "w") as chain:
        chain.writelines(open(f"{place}/{name}.pem").read() for name in ("leaf", "ca"))
    return hashlib.sha1(openssl("x509", "-in", f"{place}/ca.pem", "-outform", "DER")).hexdigest()


def token(place, **claims):
    now = int(time.time())
    said = {"iss": ISSUER, "aud": AUDIENCE, "azp": AUDIENCE, "sub": SUBJECT, "iat": now, "exp": now + 36000, **claims}
    parts = [{"alg": "RS256", "typ": "JWT", "kid": "1"}, said]
    signed = ".".join(encoded(json.dumps(part).encode()) for part in parts)
    return f"{signed}.{encoded(openssl('dgst', '-sha256', '-sign', f'{place}/jwt.key', input=signed.encode()))}"


def serve(place):
    number = bytes.fromhex(openssl("rsa", "-in", f"{place}/jwt.key", "-noout", "-modulus", text=True).strip().split("=")[1])
    key = {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1", "n": encoded(number), "e": "AQAB"}
    documents = {
        f"{PATH}/.well-known/openid-configuration": {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"},
        f"{PATH}/keys": {"keys": [key]},
    }

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            body = json.dumps(documents.get(self.path, {})).encode()
            self.send_response(200 if self.path in documents else 404)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(PORT)), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{place}/chain.pem", f"{place}/key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()


if "PYTEST_XDIST_WORKER" not in os.environ:
    with tempfile.TemporaryDirectory(prefix="s3tests-issuer-") as directory:
        thumbprint = certificates(directory)
        openssl("genrsa", "-out", f"{directory}/jwt.key", "2048")
        tags = {"principal_tags": {"Department": ["Engineering"]}, "transitive_tag_keys": []}
        tokens = {"token": token(directory), "user_token": token(directory, **{"https://aws.amazon.com/tags": tags})}
        section = {**tokens, "aud": AUDIENCE, "azp": AUDIENCE, "sub": SUBJECT, "thumbprint": thumbprint, "KC_REALM": REALM}
        os.environ["WEB_IDENTITY"] = json.dumps(section)
        serve(directory)


def make_api_call(self, operation, parameters):
    if self.meta.service_model.service_name == "iam":
        parameters = {name: said(value) for name, value in parameters.items()}
    if operation == "CreateOpenIDConnectProvider":
        parameters["ClientIDList"] = [AUDIENCE, *parameters.get("ClientIDList", [])]
    return call(self, operation, parameters)


def said(value):
    if isinstance(value, str):
        for before, after in WORDS:
            value = value.replace(before, after)
    return value


botocore.client.BaseClient._make_api_call = make_api_call
