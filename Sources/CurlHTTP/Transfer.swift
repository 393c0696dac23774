import CCurl

/// One transfer of the loop: owns an easy handle and turns what libcurl reports into parts of a response.
///
/// Lives on the loop's thread. The handle has its address, so it must stay alive until the handle is removed from the
/// multi handle.
final class Transfer {
    let exchange: Exchange
    let handle: UnsafeMutableRawPointer
    private let fields: UnsafeMutablePointer<curl_slist>?
    private let reason: UnsafeMutablePointer<CChar>
    private var head = HTTPResponseHead(status: 0)
    private var headBytes = 0
    private var hasHead = false

    /// How long a head may be, in bytes, over all its lines. libcurl bounds one line alone.
    private static let headBytesMax = 64 * 1024

    /// Prepares a transfer. Returns nil if there is no memory.
    init?(_ exchange: Exchange, connectTime: Duration) {
        guard let handle = curl_easy_init() else { return nil }
        (self.exchange, self.handle) = (exchange, handle)
        reason = .allocate(capacity: Int(CURL_ERROR_SIZE))
        reason.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        fields = Self.lines(of: exchange.request).reduce(nil) { curl_slist_append($0, $1) }
        configure(connectTime)
        prepareRequest()
        TransferCallbacks.install(on: handle, for: self)
    }

    deinit {
        curl_easy_cleanup(handle)
        curl_slist_free_all(fields)
        reason.deallocate()
    }

    private func configure(_ connectTime: Duration) {
        curl_set_text(handle, CURLOPT_PROTOCOLS_STR, "http,https")
        curl_set_long(handle, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
        curl_set_long(handle, CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        curl_set_long(handle, CURLOPT_CONNECTTIMEOUT_MS, max(1, Int(connectTime / .milliseconds(1))))
        // No signals: this process has many threads.
        curl_set_long(handle, CURLOPT_NOSIGNAL, 1)
        // A name server that is silent must not hold the thread when a transfer is given up.
        curl_set_long(handle, CURLOPT_QUICK_EXIT, 1)
        curl_set_long(handle, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        curl_set_pointer(handle, CURLOPT_ERRORBUFFER, reason)
    }

    /// The fields of a request, as CURLOPT_HTTPHEADER(3) takes them. A name without a value takes a field away that
    /// libcurl would add: `Expect` would hold a long body back for a second, and `Content-Type` would name a form.
    private static func lines(of request: HTTPClientRequest) -> [String] {
        let hasType = request.fields.contains { $0.isNamed("Content-Type") }
        return request.fields.map(\.line) + ["Expect:"] + (hasType ? [] : ["Content-Type:"])
    }

    private func prepareRequest() {
        let request = exchange.request
        curl_set_text(handle, CURLOPT_URL, request.url)
        curl_set_list(handle, CURLOPT_HTTPHEADER, fields)
        // RFC 9110 section 8.6: such a request says that its body is empty.
        let isEmptyBodySaid = ["POST", "PUT", "PATCH"].contains(request.method)
        if let body = request.body ?? (isEmptyBodySaid ? [] : nil) {
            curl_set_offset(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count))
            if body.isEmpty {
                // An empty array may have no address, and libcurl takes a null pointer for "ask the read callback".
                curl_set_text(handle, CURLOPT_COPYPOSTFIELDS, "")
            } else {
                _ = body.withUnsafeBytes { curl_set_pointer(handle, CURLOPT_COPYPOSTFIELDS, $0.baseAddress) }
            }
        } else if request.method == "HEAD" {
            curl_set_long(handle, CURLOPT_NOBODY, 1)
        }
        curl_set_text(handle, CURLOPT_CUSTOMREQUEST, request.method)
    }

    /// Lets a paused transfer go on; libcurl hands over at once what it kept.
    func resume() { curl_easy_pause(handle, CURLPAUSE_CONT) }

    /// The transfer is over: with the end of the response or an error.
    func end(_ code: CURLcode) {
        guard code != CURLE_OK else {
            // libcurl takes a connection that ends within the head for an empty response.
            let cut = HTTPClientError.failed(code: Int(CURLE_GOT_NOTHING.rawValue), reason: "no whole head came")
            if hasHead { exchange.complete() } else { _ = exchange.finish(cut) }
            return
        }
        let detail = String(cString: reason)
        let text = detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
        _ = exchange.finish(.failed(code: Int(code.rawValue), reason: text))
    }

    // MARK: What libcurl hands over

    /// Takes a line of a head, with its line break: the status line, a field, or the empty line at the end. Returns
    /// false to give the transfer up.
    func receive(line bytes: UnsafeRawBufferPointer) -> Bool {
        // Trailers come the same way and mean nothing here.
        guard !hasHead else { return true }
        headBytes += bytes.count
        guard headBytes <= Self.headBytesMax else { return false }
        let line = Substring(String(decoding: bytes, as: UTF8.self)).prefix { !$0.isNewline }
        if line.hasPrefix("HTTP/") {
            head = HTTPResponseHead(status: curl_response_code(handle))
        } else if let field = HTTPField(line: line) {
            head.fields.append(field)
        } else if line.isEmpty, head.status >= 200 {
            // Responses below 200 come before the one that counts (RFC 9110 section 15.2).
            hasHead = true
            _ = exchange.add(.head(head))
        }
        return true
    }

    /// Takes a piece of the body. Returns false if the reader is behind: libcurl then keeps the piece and pauses.
    func receive(body bytes: UnsafeRawBufferPointer) -> Bool {
        exchange.add(.body(Array(bytes)))
    }
}
