"""Checks vectors.json with COSE and CBOR implementations that are not ours.

    python -m venv venv && venv/bin/pip install -r requirements.txt
    venv/bin/python check.py

Every reading, acknowledgement and command is decoded, verified, and made again from its
fields and key: the bytes must be the same. Whoever writes a meter in another
language can start from here.
"""

import hashlib
import json
import pathlib
import sys

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pycose.algorithms import EdDSA
from pycose.headers import Algorithm
from pycose.keys import OKPKey
from pycose.keys.curves import Ed25519
from pycose.messages import Sign1Message

READING_CONTEXT = b"jirani/reading/1"
ACK_CONTEXT = b"jirani/ack/1"
COMMAND_CONTEXT = b"jirani/command/1"
RELEASE_CONTEXT = b"jirani/release/1"
CHALLENGE_CONTEXT = b"jirani/challenge/1"
ANSWER_CONTEXT = b"jirani/answer/1"
CONTEXTS = (READING_CONTEXT, ACK_CONTEXT, COMMAND_CONTEXT, RELEASE_CONTEXT, CHALLENGE_CONTEXT, ANSWER_CONTEXT)
READING_MAX = 200
VERSION = 1
# The payload's fields after the version, in order.
READING_FIELDS = [
    "meter", "epoch", "seq", "time_us", "time_quality", "uptime_s", "interval_s",
    "import_wh", "export_wh", "generation_wh",
    "voltage_mv", "current_ma", "power_w", "frequency_millihertz", "power_factor_thousandths",
    "flags", "firmware", "previous",
]
ACK_FIELDS = ["meter", "epoch", "first_seq", "seq"]
COMMAND_FIELDS = ["meter", "number", "action", "not_after_us"]
# By action: interval, time, firmware.
ORDER_FIELDS = {
    3: ["meter", "number", "action", "seconds"],
    4: ["meter", "number", "action", "time_us", "epoch", "seq"],
    5: ["meter", "number", "action", "version", "size", "sha256", "signature"],
}
RELEASE_FIELDS = ["version", "size", "sha256"]
CHALLENGE_FIELDS = ["meter", "nonce"]
ANSWER_FIELDS = ["meter", "nonce", "public_key"]
BYTES = {"meter", "firmware", "previous", "sha256", "signature", "nonce", "public_key"}


def payload_of(fields, names):
    values = [bytes.fromhex(fields[name]) if name in BYTES else fields[name] for name in names]
    return cbor2.dumps([VERSION, *values], canonical=True)


def cose_key(seed):
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return OKPKey(crv=Ed25519, d=seed, x=public), public


def make(payload, key, context):
    message = Sign1Message(phdr={Algorithm: EdDSA}, payload=payload, external_aad=context)
    message.key = key
    return message.encode()


def verifies(signed, key, context):
    message = Sign1Message.decode(signed)
    message.external_aad = context
    message.key = key
    return message.verify_signature()


def check_signed(case, fields, names, key, context):
    signed, payload = bytes.fromhex(case["signed"]), bytes.fromhex(case["payload"])
    assert payload == payload_of(fields, names), "payload differs"
    assert signed == make(payload, key, context), "signed bytes differ"
    assert verifies(signed, key, context), "does not verify"
    for other in (*CONTEXTS, b""):
        assert other == context or not verifies(signed, key, other), "verifies in another context"
    decoded = Sign1Message.decode(signed)
    assert decoded.phdr == {Algorithm: EdDSA} and decoded.uhdr == {}, "headers differ"
    assert decoded.payload == payload, "payload is not what was signed"


def is_acceptable(data, key):
    """The rules of a reading, written anew."""
    try:
        if len(data) > READING_MAX:
            return False
        message = Sign1Message.decode(data)
        fields = cbor2.loads(message.payload)
        return (
            message.phdr == {Algorithm: EdDSA}
            and message.uhdr == {}
            and len(fields) == 1 + len(READING_FIELDS)
            and fields[0] == VERSION
            and fields[3] > 0
            and 0 <= fields[4] < 1 << 63
            and fields[5] in (0, 1, 2)
            and -1000 <= fields[15] <= 1000
            and cbor2.dumps(fields, canonical=True) == message.payload
            and make(message.payload, key, READING_CONTEXT) == data
        )
    except Exception:
        return False


def main():
    vectors = json.loads(pathlib.Path(__file__).with_name("vectors.json").read_text())
    keys = {}
    for name, entry in vectors["keys"].items():
        keys[name], public = cose_key(bytes.fromhex(entry["seed"]))
        assert public.hex() == entry["public"], f"{name}: public key differs"
        assert hashlib.sha256(public).digest()[:16].hex() == entry["meter_id"], f"{name}: id differs"
    signed = {}
    for case in vectors["readings"]:
        check_signed(case, case["reading"], READING_FIELDS, keys["meter"], READING_CONTEXT)
        signed[case["name"]] = bytes.fromhex(case["signed"])
        assert len(signed[case["name"]]) <= READING_MAX, "too long"
        assert is_acceptable(signed[case["name"]], keys["meter"]), "refused here"
    for case in vectors["acks"]:
        check_signed(case, case["ack"], ACK_FIELDS, keys["gateway"], ACK_CONTEXT)
    for case in vectors["commands"]:
        check_signed(case, case["command"], COMMAND_FIELDS, keys["gateway"], COMMAND_CONTEXT)
    releases = {}
    for case in vectors["releases"]:
        check_signed(case, case["release"], RELEASE_FIELDS, keys["maker"], RELEASE_CONTEXT)
        releases[case["release"]["sha256"]] = case
    for case in vectors["orders"]:
        order = case["order"]
        check_signed(case, order, ORDER_FIELDS[order["action"]], keys["gateway"], COMMAND_CONTEXT)
        if order["action"] == 5:
            release = releases[order["sha256"]]
            assert all(order[name] == release["release"][name] for name in RELEASE_FIELDS), "another release"
            assert release["signed"].endswith(order["signature"]), "another signature"
    for case in vectors["challenges"]:
        check_signed(case, case["challenge"], CHALLENGE_FIELDS, keys["gateway"], CHALLENGE_CONTEXT)
    for case in vectors["answers"]:
        answer = case["answer"]
        check_signed(case, answer, ANSWER_FIELDS, keys["meter"], ANSWER_CONTEXT)
        public = bytes.fromhex(answer["public_key"])
        assert hashlib.sha256(public).digest()[:16].hex() == answer["meter"], "the key is another meter's"
    for case in vectors["messages"]:
        items = [signed[name] for name in case["readings"]]
        message = bytes.fromhex(case["message"])
        head = cbor2.dumps([0] * len(items))[: -len(items)]
        assert message == head + b"".join(items), "message differs"
        assert len(cbor2.loads(message)) == len(items), "message holds something else"
    for case in vectors["refused"]:
        data = bytes.fromhex(case["bytes"])
        assert not is_acceptable(data, keys["meter"]), f"{case['name']}: accepted here"
    lists = [name for name in vectors if name not in ("contexts", "keys")]
    counts = {name: len(vectors[name]) for name in lists}
    print("vectors hold:", ", ".join(f"{count} {name}" for name, count in counts.items()))


if __name__ == "__main__":
    sys.exit(main())
