import CCurl

/// One transfer of the loop: owns an easy handle and turns what libcurl reports into parts of a response.
///
/// Lives on the loop's thread. The handle has its address, so it must stay alive until the handle is removed from the
/// multi handle.
final class Transfer {
    let exchange: Exchange
    let handle: UnsafeMutableRawPointer
    private var fields: UnsafeMutablePointer<curl_slist>?
    private let reason: UnsafeMutablePointer<CChar>
    /// The part of the body that is still to be sent.
    private var unsent: ArraySlice<UInt8>
    private var head = HTTPResponseHead(status: 0)
    private var headBytes = 0
    private var hasHead = false

    /// The longest head, in bytes over all its lines. libcurl itself bounds only single lines.
    private static let headBytesMax = 64 * 1024

    /// Prepares a transfer. Returns nil if libcurl refuses an option: for lack of memory, or a missing feature.
    init?(_ exchange: Exchange, connectTime: Duration) {
        guard let handle = curl_easy_init() else { return nil }
        (self.exchange, self.handle) = (exchange, handle)
        unsent = (exchange.request.body ?? [])[...]
        reason = .allocate(capacity: Int(CURL_ERROR_SIZE))
        reason.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        let codes =
            [appendFields()] + connectionOptions(connectTime) + requestOptions()
            + TransferCallbacks.install(on: handle, for: self)
        guard codes.allSatisfy({ $0 == CURLE_OK }) else { return nil }
    }

    deinit {
        curl_easy_cleanup(handle)
        curl_slist_free_all(fields)
        reason.deallocate()
    }

    /// Makes the list that CURLOPT_HTTPHEADER(3) takes. A name without a value takes a field away that libcurl would
    /// add: `Expect` would hold a long body back for a second, and `Content-Type` would name a form.
    private func appendFields() -> CURLcode {
        let given = exchange.request.fields
        let hasType = given.contains { $0.isNamed("Content-Type") }
        for line in given.map(\.line) + ["Expect:"] + (hasType ? [] : ["Content-Type:"]) {
            guard let longer = curl_slist_append(fields, line) else { return CURLE_OUT_OF_MEMORY }
            fields = longer
        }
        return curl_set_list(handle, CURLOPT_HTTPHEADER, fields)
    }

    private func connectionOptions(_ connectTime: Duration) -> [CURLcode] {
        let isPlain = !exchange.request.url.lowercased().hasPrefix("https:")
        return [
            curl_set_text(handle, CURLOPT_PROTOCOLS_STR, "http,https"),
            curl_set_long(handle, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1),
            curl_set_long(handle, CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2)),
            // Reading the certificates takes 25 ms. libcurl reuses them only if they come from a single file.
            curl_set_text(handle, CURLOPT_CAPATH, nil),
            // CURLOPT_PROXY(3): an empty text means none, whatever the environment says.
            isPlain ? curl_set_text(handle, CURLOPT_PROXY, "") : CURLE_OK,
            curl_set_long(handle, CURLOPT_CONNECTTIMEOUT_MS, max(1, Int(connectTime / .milliseconds(1)))),
            // No signals: this process has many threads.
            curl_set_long(handle, CURLOPT_NOSIGNAL, 1),
            // A name server that is silent must not hold the thread when a transfer is given up.
            curl_set_long(handle, CURLOPT_QUICK_EXIT, 1),
            curl_set_long(handle, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1),
            curl_set_pointer(handle, CURLOPT_ERRORBUFFER, reason),
        ]
    }

    private func requestOptions() -> [CURLcode] {
        let request = exchange.request
        var codes = [curl_set_text(handle, CURLOPT_URL, request.url)]
        // RFC 9110 section 8.6: such a request says that its body is empty.
        if request.body != nil || ["POST", "PUT", "PATCH"].contains(request.method) {
            codes.append(curl_set_long(handle, CURLOPT_POST, 1))
            codes.append(curl_set_offset(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(unsent.count)))
        } else if request.method == "HEAD" {
            codes.append(curl_set_long(handle, CURLOPT_NOBODY, 1))
        }
        return codes + [curl_set_text(handle, CURLOPT_CUSTOMREQUEST, request.method)]
    }

    /// Resumes a paused transfer; libcurl hands over at once what it kept. Returns false if that failed. Then the
    /// exchange has ended.
    func resume() -> Bool {
        let code = curl_easy_pause(handle, CURLPAUSE_CONT)
        guard code != CURLE_OK else { return true }
        end(code)
        return false
    }

    /// Ends the exchange with the result that libcurl reports.
    func end(_ code: CURLcode) {
        guard code == CURLE_OK else { return fail(code, words(for: code)) }
        // libcurl takes a connection that ends within the head for an empty response.
        guard hasHead else { return fail(CURLE_GOT_NOTHING, "no whole head came") }
        exchange.complete()
    }

    private func fail(_ code: CURLcode, _ words: String) {
        _ = exchange.finish(.failed(code: Int(code.rawValue), reason: words))
    }

    /// Describes a failure: in libcurl's words about this case, else in general. Its words about a proxy would quote
    /// the address, and with it perhaps a password.
    private func words(for code: CURLcode) -> String {
        let isAboutAddress = [CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT, CURLE_PROXY].contains(code)
        let noted = String(cString: reason)
        return noted.isEmpty || isAboutAddress ? String(cString: curl_easy_strerror(code)) : noted
    }

    // MARK: What libcurl asks for and hands over

    /// Copies the next piece of the body. Returns its length, 0 at the end.
    func send(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let piece = unsent.prefix(buffer.count)
        unsent = unsent.dropFirst(piece.count)
        buffer.copyBytes(from: piece)
        return piece.count
    }

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
