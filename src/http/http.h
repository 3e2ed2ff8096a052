#pragma once
// http: HTTP/1.1 on the wire (RFC 9110, RFC 9112), free of domain words.
//
//   message/  requests and responses as plain values, the strict check of a request's head, queries and forms,
//             packing, traces, who may call from a browser
//   router/   (method, path pattern) -> whatever answers there
//   client/   the one HTTP client, which addresses it may reach
//   server/   the listener and its connections, plain or under TLS, every limit a named setting
//
// A handler is a coroutine from Request to Response. Handlers of one server run on the one thread that runs its
// io_context; a handler that waits for another thread resumes there.

#include "http/client/addresses.h"
#include "http/client/web.h"
#include "http/message/body_file.h"
#include "http/message/cors.h"
#include "http/message/encoding.h"
#include "http/message/message.h"
#include "http/message/multipart.h"
#include "http/message/query.h"
#include "http/message/trace.h"
#include "http/router/router.h"
#include "http/server/server.h"
#include "http/server/tls.h"
