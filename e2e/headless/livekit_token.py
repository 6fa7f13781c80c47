"""Prints a join token that LiveKit's SDK for Python makes."""

import json
import sys

from livekit import api

key, secret, grants = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
token = api.AccessToken(key, secret).with_identity("py").with_name("Made in Python")
print(token.with_grants(api.VideoGrants(**grants)).to_jwt())
