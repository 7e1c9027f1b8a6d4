"""Writes the stores beside this file with Python's `cryptography`: the format, made by another hand than the reader's.

    pip install cryptography && python3 write.py

Every secret in them is made up.
"""

import hashlib
import json
import pathlib
import struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HERE = pathlib.Path(__file__).parent
MACHINE = {"id": "8f2c0d5e4b7a49d1a3c6e9f0b1d2c3e4", "hostname": "notebook", "user": "ada", "home": "/people/ada"}

CREDENTIALS = {
    "channel_credential::w1::work": {"value": "made-up-bot-token", "source": "native"},
    "channel_credential::w1::work-app": {"value": "made-up-app-token"},
    "source_oauth::notes::gmail": {
        "value": "made-up-access-token",
        "refreshToken": "made-up-refresh-token",
        "expiresAt": 1700000000123,
        "clientId": "made-up-client",
        "tokenType": "Bearer",
    },
    "source_bearer::notes::gmail": {"value": "not this one"},
    "source_apikey::notes::slack": {"value": "made-up-folder-key"},
    "source_apikey::w1::slack": {"value": "made-up-workspace-key"},
    "source_basic::notes::umlaut": {"value": "Gr\u00fc\u00dfe \U0001f511 \"quoted\" \\ \n"},
    "llm_oauth::claude": {"value": "made-up", "expiresAt": 1700000000123.5, "later": {"field": [1]}},
    "empty::account": {"value": None},
}


def password(text):
    return hashlib.sha256(text.encode()).digest()


def store(name, text, plain, salt):
    key = hashlib.pbkdf2_hmac("sha256", password(text), salt, 100_000, 32)
    nonce = hashlib.sha256(name.encode()).digest()[:12]
    sealed = AESGCM(key).encrypt(nonce, json.dumps(plain, ensure_ascii=False).encode(), None)
    ciphertext, tag = sealed[:-16], sealed[-16:]
    head = b"CRAFT01\0" + struct.pack("<I", 1) + salt + bytes(20) + nonce + tag
    assert len(head) == 92
    (HERE / name).write_bytes(head + ciphertext)


m = MACHINE
plain = {"version": 1, "credentials": CREDENTIALS, "metadata": {"createdAt": 1, "updatedAt": 2}}
salt = hashlib.sha256(b"salt").digest()
store("present.enc", m["id"] + "craft-agent-v2", plain, salt)
store("older.enc", m["hostname"] + m["user"] + m["home"] + "craft-agent-v1", plain, salt)
store("without-id.enc", f"{m['user']}:{m['home']}" + "craft-agent-v2", plain, salt)
store("later.enc", m["id"] + "craft-agent-v2", {"version": 2, "credentials": {}}, salt)
store("no-list.enc", m["id"] + "craft-agent-v2", ["made-up-secret"], salt)
