"""PyJWT, which knows nothing of our tokens: foreign.py verify TOKEN | sign HEADER CLAIMS

Reads the secret from the environment variable SECRET. `verify` checks signature, times, issuer and audience and prints
the header and the claims as one JSON object, or {"refused": …} with the name of the error. `sign` takes both parts as
JSON and prints the token.
"""
import json
import os
import sys

import jwt


def verify(secret, token):
    try:
        return jwt.decode_complete(
            token, secret, algorithms=["HS256"], issuer="parley-auth", audience="parley",
            options={"require": ["iss", "aud", "sub", "jti", "iat", "exp"]})
    except jwt.InvalidTokenError as error:
        return {"refused": type(error).__name__}


def main(command, *arguments):
    secret = os.environ["SECRET"]
    if command == "sign":
        header, claims = map(json.loads, arguments)
        print(jwt.encode(claims, secret, algorithm="HS256", headers=header))
    else:
        answer = verify(secret, *arguments)
        print(json.dumps({name: answer[name] for name in ("header", "payload", "refused") if name in answer}))


main(*sys.argv[1:])
