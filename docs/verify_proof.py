"""Verifies a file of `jirani meter prove`, from the meter's signature to the chain.

    pip install cbor2 cryptography
    python verify_proof.py proof.json --rpc https://... --program ADDRESS

Shares no code with Jirani: written from docs/proofs.md alone. Exits 1 with a line that
says what is not so.
"""

import argparse
import base64
import hashlib
import json
import struct
import sys
import urllib.request

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

# First byte of a household's record.
HOUSEHOLD = 2
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def base58(text):
    number = 0
    for character in text:
        number = number * 58 + ALPHABET.index(character)
    body = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return bytes(len(text) - len(text.lstrip("1"))) + body


def need(holds, what):
    if not holds:
        sys.exit(f"not so: {what}")


def read_signed(data, key, epoch):
    """The reading's moment (microseconds), export and import register, after its signature."""
    protected, unprotected, payload, signature = cbor2.loads(data).value
    need(protected == bytes.fromhex("a10127") and unprotected == {}, "a reading is an Ed25519 COSE_Sign1")
    signed = cbor2.dumps(["Signature1", protected, b"jirani/reading/1", payload], canonical=True)
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
    except InvalidSignature:
        need(False, "a reading is signed by the meter's key")
    fields = cbor2.loads(payload)
    need(fields[0] == 1 and fields[1] == sha256(key)[:16], "a reading names the meter of that key")
    need(fields[2] == epoch, "a reading is of the row's registers")
    return fields[4], fields[9], fields[8]


def read_span(data, name, proof):
    """The registers' epoch, the first moment (microseconds), and what is added to export and import."""
    need(len(data) == 80 and data[:16] == b"jirani.span.v1\0\0", "a span has 80 bytes")
    household, _, meter, epoch, row_epoch, begin, imported, exported, _ = struct.unpack(">II16sIIqqqq", data[16:])
    need((household, meter, row_epoch) == (proof["household"], name, proof["meter_epoch"]), "the span is the row's")
    return epoch, begin, (exported, imported)


def climb(leaf, path):
    node = sha256(b"\0", leaf)
    for step in path:
        (side, neighbour), = step.items()
        neighbour = bytes.fromhex(neighbour)
        node = sha256(b"\1", neighbour, node) if side == "left" else sha256(b"\1", node, neighbour)
    return node


def at(moment, readings):
    """Export and import at a moment: of the reading, or on the line between the two around it."""
    if len(readings) == 1:
        need(readings[0][0] == moment, "the one reading was taken at the slot's end")
        return readings[0][1:]
    before, after = readings
    need(before[0] < moment < after[0], "the two readings stand around the slot's end")
    part, whole = moment - before[0], after[0] - before[0]
    return tuple(low + (high - low) * part // whole for low, high in zip(before[1:], after[1:]))


def ask(rpc, method, *params):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    request = urllib.request.Request(rpc, body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        told = json.load(answer)
    need("error" not in told, f"the node answers {method}: {told.get('error')}")
    return told["result"]


def rows_on_chain(rpc, program, transaction, proof):
    """(household, status) with (export, import, epoch) of every row under this root."""
    options = {"encoding": "json", "commitment": "finalized", "maxSupportedTransactionVersion": 1}
    told = ask(rpc, "getTransaction", transaction, options)
    need(told and told["meta"]["err"] is None, "the node knows the transaction, and it took effect")
    message, loaded = told["transaction"]["message"], told["meta"].get("loadedAddresses") or {}
    keys = message["accountKeys"] + loaded.get("writable", []) + loaded.get("readonly", [])
    inner = {made["index"]: made["instructions"] for made in told["meta"]["innerInstructions"]}
    for index, call in enumerate(message["instructions"]):
        data = base58(call["data"])
        # Attest: tag, rows, reserved, oracle version, slot's end, root; then the rows.
        if keys[call["programIdIndex"]] != program or len(data) < 48:
            continue
        tag, count, _, _, slot_end, root = struct.unpack_from("<BBHIq32s", data)
        events = [base58(made["data"]) for made in inner.get(index, []) if keys[made["programIdIndex"]] == program]
        # The program's event for attested rows: kind 5, the feeder, the slot's end, the root.
        events = [event for event in events if len(event) >= 80 and event[1] == 5 and event[48:80] == root]
        if len(data) != 48 + 24 * count or len(events) != 1:
            continue
        feeder, told_end = struct.unpack_from("<Iq", events[0], 4)
        if (feeder, slot_end, told_end) != (proof["feeder"], proof["slot_end"], proof["slot_end"]):
            continue
        size = (len(events[0]) - 80) // count
        for row in range(count):
            household, status = struct.unpack_from("<IB", events[0], 80 + row * size)
            yield root, household, status, struct.unpack_from("<QQI", data, 48 + 24 * row)


def meters_on_chain(rpc, program, household):
    """(key, epoch) of the meter in the program's record of a household."""
    number = base64.b64encode(struct.pack("<I", household)).decode()
    filters = [{"memcmp": {"offset": 8, "bytes": number, "encoding": "base64"}}]
    options = {"encoding": "base64", "commitment": "finalized", "filters": filters}
    for account in ask(rpc, "getProgramAccounts", program, options):
        data = base64.b64decode(account["account"]["data"][0])
        if len(data) >= 152 and data[0] == HOUSEHOLD:
            yield data[120:152], struct.unpack_from("<I", data, 12)[0]


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("proof")
    arguments.add_argument("--rpc", required=True)
    arguments.add_argument("--program", required=True, help="the energy program that you know")
    arguments = arguments.parse_args()
    with open(arguments.proof, encoding="utf-8") as file:
        proof = json.load(file)
    need(proof["version"] == (2 if "span" in proof else 1), "the file's version is 1, or 2 with a span")
    key, root = bytes.fromhex(proof["meter_key"]), bytes.fromhex(proof["evidence_root"])
    # Registers are virtual: a span of a later meter says what to add to the raw ones.
    epoch, begin, added = proof["meter_epoch"], 0, (0, 0)
    if "span" in proof:
        leaf = bytes.fromhex(proof["span"]["signed"])
        need(climb(leaf, proof["span"]["path"]) == root, "the span's path leads to the root")
        epoch, begin, added = read_span(leaf, sha256(key)[:16], proof)
    readings = []
    for reading in proof["readings"]:
        signed = bytes.fromhex(reading["signed"])
        need(climb(signed, reading["path"]) == root, "a reading's path leads to the root")
        readings.append(read_signed(signed, key, epoch))
    row = (proof["export_wh"], proof["import_wh"])
    need(readings[0][0] >= begin, "the readings are of the span")
    raw = at(proof["slot_end"] * 1_000_000, readings)
    need(tuple(map(sum, zip(raw, added))) == row, "the registers follow from the readings")
    meters = meters_on_chain(arguments.rpc, arguments.program, proof["household"])
    need((key, proof["meter_epoch"]) in meters, "the household's meter has this key")
    on_chain = rows_on_chain(arguments.rpc, arguments.program, proof["transaction"], proof)
    wanted = (root, proof["household"], 0, (*row, proof["meter_epoch"]))
    need(wanted in on_chain, "the transaction attests this row under this root")
    print(f"holds: household {proof['household']} exported {row[0]} Wh and imported {row[1]} Wh in all")


if __name__ == "__main__":
    main()
