"""A CA with renewal information (RFC 9773): acme2certifier over TLS on a loopback port.

Arguments: port, certificate and key of this HTTPS server. Environment: ACME_SRV_CONFIGFILE. While the
file `renew-now` exists in the current folder, the window of all certificates is their first second.
What orders replace is written to `orders`, one JSON value on each line.
"""

import base64
import io
import json
import os
import ssl
import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer, make_server

from acme2certifier.acme_srv.helper import load_config
from acme2certifier.share import acme2certifier_wsgi as certifier

PORT, CERTIFICATE, KEY = int(sys.argv[1]), sys.argv[2], sys.argv[3]


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


def note_order(environ):
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    payload = json.loads(body)["payload"]
    order = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    with open("orders", "a") as file:
        file.write(json.dumps(order.get("replaces")) + "\n")


def application(environ, start_response):
    is_due = os.path.exists("renew-now")
    for config in (certifier.CONFIG, load_config()):
        config.set("Renewalinfo", "renewalthreshold_pctg", "0" if is_due else "85")
        config.set("Renewalinfo", "renewal_window_duration", "1" if is_due else "3600")
    if environ["PATH_INFO"] == "/acme/neworders":
        note_order(environ)
    environ["wsgi.url_scheme"] = "https"
    return certifier.application(environ, start_response)


server = make_server("127.0.0.1", PORT, application, Server, certifier.get_handler_cls())
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERTIFICATE, KEY)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
