#include "net/http_client.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <mutex>

#include <fmt/format.h>

#include "base/late_library.h"
#include "net/url.h"

namespace mutirao::net {
namespace {

// Most runs call nobody: libcurl is loaded when one does. Its functions hide those that would be linked.
constinit const LateLibrary libcurl{"libcurl.so.4", "libcurl4"};
#define MUTIRAO_LIBCURL(name)                           \
  constinit const LateFunction<decltype(::name)> name { \
    libcurl, #name                                      \
  }
MUTIRAO_LIBCURL(curl_easy_cleanup);
MUTIRAO_LIBCURL(curl_easy_getinfo);
MUTIRAO_LIBCURL(curl_easy_init);
MUTIRAO_LIBCURL(curl_easy_perform);
MUTIRAO_LIBCURL(curl_easy_setopt);
MUTIRAO_LIBCURL(curl_easy_strerror);
MUTIRAO_LIBCURL(curl_global_init);
MUTIRAO_LIBCURL(curl_slist_append);
MUTIRAO_LIBCURL(curl_slist_free_all);
#undef MUTIRAO_LIBCURL

struct EndCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlHandle = std::unique_ptr<CURL, EndCurl>;
using CurlHeaders = std::unique_ptr<curl_slist, EndCurl>;

bool IsLinkLocal4(uint32_t address) {
  return (address >> 16) == 0xA9FE || address == 0 || (address >> 28) >= 0xE;  // 169.254/16, 0.0.0.0, multicast and up
}

bool MayConnect(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    return !IsLinkLocal4(ntohl(v4.sin_addr.s_addr));
  }
  if (address->sa_family != AF_INET6) return false;
  sockaddr_in6 v6{};
  std::memcpy(&v6, address, sizeof v6);
  const in6_addr& ip = v6.sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&ip) || IN6_IS_ADDR_V4COMPAT(&ip)) {
    uint32_t v4 = 0;
    std::memcpy(&v4, ip.s6_addr + 12, sizeof v4);
    if (IN6_IS_ADDR_LOOPBACK(&ip)) return true;
    return !IsLinkLocal4(ntohl(v4));
  }
  return !IN6_IS_ADDR_LINKLOCAL(&ip) && !IN6_IS_ADDR_MULTICAST(&ip) && !IN6_IS_ADDR_UNSPECIFIED(&ip);
}

struct Exchange {
  HttpResponse response;
  size_t most_body = 0;
  std::stop_token stop;
  bool refused_address = false;
};

curl_socket_t OpenSocket(void* data, curlsocktype, curl_sockaddr* address) {
  if (!MayConnect(&address->addr)) {
    static_cast<Exchange*>(data)->refused_address = true;
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

size_t TakeBody(char* bytes, size_t size, size_t count, void* data) {
  auto* exchange = static_cast<Exchange*>(data);
  const size_t room = exchange->most_body - std::min(exchange->most_body, exchange->response.body.size());
  exchange->response.body.append(bytes, std::min(room, size * count));
  return size * count;
}

int Progress(void* data, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Exchange*>(data)->stop.stop_requested() ? 1 : 0;
}

void SetUp(CURL* curl, const HttpRequest& request, curl_slist* headers, Exchange& exchange) {
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  // No proxy can reach this machine's own services.
  const Result<Url> url = ParseUrl(request.url);
  const bool here = url.ok() && (url->host == "127.0.0.1" || url->host == "localhost" || url->host == "::1");
  if (here) curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (!request.body.empty() || request.method == "POST") {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.c_str());
  }
  if (request.method == "HEAD") curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, OpenSocket);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, TakeBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, Progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "mutirao");
}

Status Explain(CURLcode code, const Exchange& exchange, const std::string& origin) {
  if (exchange.refused_address) {
    return Status::Invalid(fmt::format("{} leads to an address of this machine's own network segment", origin))
        .Help("link-local and multicast addresses are refused");
  }
  switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
      return Status::Cancelled(fmt::format("the call of {} was stopped", origin));
    case CURLE_OPERATION_TIMEDOUT:
      return Status::Deadline(fmt::format("{} did not answer in time", origin));
    default:
      return Status::Unavailable(fmt::format("no answer from {}: {}", origin, curl_easy_strerror(code)));
  }
}

}  // namespace

Result<HttpResponse> SendHttp(const HttpRequest& request, std::stop_token stop) {
  MUTIRAO_TRY(libcurl.Load());
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  const Url url = MUTIRAO_TRY(ParseUrl(request.url));
  const CurlHandle curl(curl_easy_init());
  if (!curl) return Status::Exhausted("no memory for a web request");
  curl_slist* list = nullptr;
  for (const std::string& header : request.headers) {
    if (header.find_first_of("\r\n") != std::string::npos) {
      curl_slist_free_all(list);
      return Status::Invalid("a header of a web request holds a line end");
    }
    list = curl_slist_append(list, header.c_str());
  }
  // Without it curl asks before it sends a body, and waits a second for servers that do not answer that.
  list = curl_slist_append(list, "Expect:");
  const CurlHeaders headers(list);
  Exchange exchange{.most_body = request.most_body, .stop = std::move(stop)};
  SetUp(curl.get(), request, headers.get(), exchange);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) return Explain(code, exchange, url.Origin());
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  exchange.response.status = static_cast<int>(status);
  return std::move(exchange.response);
}

}  // namespace mutirao::net
