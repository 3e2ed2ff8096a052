#pragma once
// The contract: api/openapi.yaml (OpenAPI 3.1), compiled into the program. What it says of a request's body and query
// is what the server takes; everything else is refused before a route sees it, naming the field and the rule. The
// document itself is served as /openapi.json, and people read it as /docs.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/contract/schema.h"
#include "base/base.h"
#include "http/http.h"

namespace rootstock {

struct QueryParameter {
    std::string name;
    bool required = false;
    bool repeated = false;  // an array: name=a&name=b, or name[]=a as OpenAI's clients write it
    bool object = false;    // an object of texts: name[key]=a (style deepObject)
    const Schema* schema = nullptr;
};

// Whom a call of the management API concerns (x-subject).
enum class Subject {
    nobody,   // not said: no operation of the management API
    tenant,   // one tenant: {tenant} of the path, else ?tenant=, else the only one that the caller belongs to
    tenants,  // the same, or for the house without ?tenant=: all
    house,    // the house, nobody else; about {tenant} where the path names one
    self,     // the person who is signed in; no key calls it
};

// What the document says of one method of one path.
struct Operation {
    std::string method;
    std::string pattern;
    const Schema* body = nullptr;  // of application/json; null: no such body is described
    std::vector<QueryParameter> query;
    std::vector<std::string> roles{};   // x-roles: a person needs one of them
    std::vector<std::string> scopes{};  // x-scopes: a key needs all of them; none: no key may call
    Subject subject = Subject::nobody;
    bool open = false;              // security: []
    bool page = false;              // x-page: read in browsers; what links add to the address is not looked at
    bool repeatable = false;        // takes an Idempotency-Key
    bool needs_repeat_key = false;  // wants one
    bool needs_version = false;     // wants If-Match
};

class Contract {
public:
    // The document that this program was built with. A keyword that the compiler of schemas does not know is our own
    // fault and asserts, so that nothing the document says goes unchecked.
    static const Contract& built_in();
    explicit Contract(json::value document);

    const json::value& document() const { return document_; }
    const Operation* find(std::string_view method, std::string_view pattern) const;
    const std::vector<Operation>& operations() const { return operations_; }
    std::vector<std::string> scopes() const;  // every word of x-scopes, sorted

    // invalid_argument, `param` the field's path ("messages[2].content"); reason "unknown_field" for one that the
    // document does not name, "unsupported" for a field that it marks x-unsupported.
    Result<void> check_body(const Operation& operation, const json::value& body) const;

    // The query as sent: "limit=20&after=x".
    Result<void> check_query(const Operation& operation, std::string_view query) const;

private:
    void add(const std::string& pattern, const std::string& method, const json::object& described);
    void add_parameter(Operation& operation, const json::object& parameter);
    const json::value& follow(const json::value& node) const;

    json::value document_;
    std::unique_ptr<SchemaCompiler> schemas_;
    std::vector<Operation> operations_;
};

// The document as one page for people: every route with its fields, examples of calling it, and its errors. English,
// and Chinese where the document has x-zh texts.
std::string docs_page(const json::value& document);

}  // namespace rootstock
