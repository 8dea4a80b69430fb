"""Pusher's own server SDK for Python before a server of Pusher's protocol, unmodified.

    python server.py PORT ID KEY SECRET

Prints a line of JSON for each step that was proven, {"proven": "…"}. What isn't so is an error, and the exit code 1.
"""

import hashlib
import hmac
import json
import sys

import pusher
from pusher.errors import PusherBadAuth

port, app_id, key, secret = sys.argv[1:5]


def server(own=secret):
    return pusher.Pusher(app_id=app_id, key=key, secret=own, host="127.0.0.1", port=int(port), ssl=False, timeout=20)


def proven(what):
    print(json.dumps({"proven": what}), flush=True)


site = server()
assert site.trigger("python", "shipped", {"order": 7}) == {}, "trigger"
assert site.trigger(["python", "other"], "shipped", "plain") == {}, "several channels"
assert site.trigger_batch([{"channel": "python", "name": "n", "data": {"n": n}} for n in range(10)]) == {}, "batch"
proven("trigger")

occupied = site.channels_info("presence-", ["user_count"])
assert set(occupied) == {"channels"}, occupied
assert site.channel_info("python", ["subscription_count"]) == {"occupied": False, "subscription_count": 0}
assert site.users_info("presence-python") == {"users": []}
proven("questions")

answer = site.authenticate(channel="private-python", socket_id="12.34")
wanted = hmac.new(secret.encode(), b"12.34:private-python", hashlib.sha256).hexdigest()
assert answer == {"auth": f"{key}:{wanted}"}, answer
try:
    server("another secret").trigger("python", "x", {})
    raise AssertionError("taken")
except PusherBadAuth:
    proven("refusals")
