"""Logging in to the simulator: with Microsoft's azure-identity over https, and with assertions made by hand.

usage: identity.py HTTPS-ADDRESS CERTIFICATE-FILE MAILBOX
"""

import base64
import datetime
import hashlib
import os
import sys
import tempfile
import time
import uuid

BASE, TRUSTED, MAILBOX = sys.argv[1:4]
os.environ["REQUESTS_CA_BUNDLE"] = TRUSTED

import jwt
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CertificateCredential, ClientSecretCredential, DeviceCodeCredential
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

TENANT, CLIENT, SCOPE = "contoso.example", "11111111-2222-4333-8444-555555555555", "https://graph.microsoft.com/.default"
AUTHORITY = BASE
ENDPOINT = f"{BASE}/{TENANT}/oauth2/v2.0/token"


def certificate(name):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    return key, made


def users(token):
    return requests.get(f"{BASE}/v1.0/users/{MAILBOX}", headers={"Authorization": f"Bearer {token}"})


def microsoft_clients(key, made):
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    common = {"tenant_id": TENANT, "client_id": CLIENT, "authority": AUTHORITY, "disable_instance_discovery": True}
    with tempfile.NamedTemporaryFile() as file:
        file.write(pem + made.public_bytes(serialization.Encoding.PEM))
        file.flush()
        token = CertificateCredential(certificate_path=file.name, **common).get_token(SCOPE).token
    assert users(token).json()["mail"] == MAILBOX

    token = ClientSecretCredential(client_secret="simulated-secret", **common).get_token(SCOPE).token
    assert users(token).status_code == 200
    try:
        ClientSecretCredential(client_secret="wrong", **common).get_token(SCOPE)
        raise SystemExit("a wrong secret was accepted")
    except ClientAuthenticationError as error:
        assert "AADSTS7000215" in str(error), error

    def prompt(_address, code, _expires):
        # The user confirms on another device.
        requests.post(f"{BASE}/_simulator/device-codes/{code}", json={"user": MAILBOX}).raise_for_status()

    common.pop("disable_instance_discovery")
    credential = DeviceCodeCredential(prompt_callback=prompt, disable_instance_discovery=True, **common)
    token = credential.get_token("https://graph.microsoft.com/Calendars.ReadWrite").token
    answer = requests.get(f"{BASE}/v1.0/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.json()["mail"] == MAILBOX


def assertion(key, made, algorithm="PS256", header=None, **changes):
    der = made.public_bytes(serialization.Encoding.DER)
    now = int(time.time())
    claims = {"aud": ENDPOINT, "iss": CLIENT, "sub": CLIENT, "jti": str(uuid.uuid4()), "nbf": now, "iat": now, "exp": now + 600}
    thumbprint = base64.urlsafe_b64encode(hashlib.sha256(der).digest()).decode().rstrip("=")
    return jwt.encode(claims | changes, key, algorithm, headers=header or {"x5t#S256": thumbprint})


def ask(text):
    return requests.post(
        ENDPOINT,
        data={
            "grant_type": "client_credentials",
            "client_id": CLIENT,
            "scope": SCOPE,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": text,
        },
    )


def refused(text, code):
    answer = ask(text)
    assert answer.status_code == 401 and answer.json()["error"] == "invalid_client", answer.text
    assert f"AADSTS{code}:" in answer.json()["error_description"], answer.text


def assertions(key, made):
    once = assertion(key, made)
    assert ask(once).status_code == 200
    refused(once, 700024)  # its jti was used
    sha1 = base64.urlsafe_b64encode(hashlib.sha1(made.public_bytes(serialization.Encoding.DER)).digest()).decode().rstrip("=")
    assert ask(assertion(key, made, "RS256", {"x5t": sha1})).status_code == 200
    now = int(time.time())
    refused(assertion(key, made, aud="https://login.example/token"), 50013)
    refused(assertion(key, made, iss="somebody"), 700021)
    refused(assertion(key, made, exp=now + 3600), 700023)
    refused(assertion(key, made, nbf=now - 7200, iat=now - 7200, exp=now - 6900), 700024)
    other_key, other = certificate("stranger")
    refused(assertion(other_key, other), 700027)
    refused(assertion(other_key, made), 700027)
    refused(assertion("a secret of at least 32 characters", made, "HS256"), 5002738)
    head, claims, signature = assertion(key, made).split(".")
    refused(f"{head}.{claims}.{signature[:-4]}AAAA", 700027)
    refused("nonsense", 50027)


key, made = certificate("client")
registered = requests.post(f"{BASE}/_simulator/client-certificates", data=made.public_bytes(serialization.Encoding.PEM))
assert registered.status_code == 204, registered.text
assertions(key, made)
microsoft_clients(key, made)
print("every login was answered as it must be")
