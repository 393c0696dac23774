import CCurl
import Foundation
import Shared
import Synchronization

/// Why a mail was not taken. The text has no secret in it.
struct MailFailure: Error, CustomStringConvertible {
    /// The server will never take this mail: it said 5xx of it.
    let isFinal: Bool
    let description: String
}

/// Hands mails to an SMTP server through libcurl, one at a time, on a thread of its own: a call blocks as long as the
/// server makes it wait, up to `secondsMax`.
///
/// To a server elsewhere only over TLS with a certificate that is checked: mails carry secrets. `smtps` begins with
/// TLS, `smtp` must offer STARTTLS. On this machine TLS is used if it is offered, and checked if `SMTP_CA_FILE` is set.
actor SMTPClient {
    /// For one mail, from connecting to the server's last word.
    static let secondsMax = 60
    fileprivate static let connectSecondsMax = 15
    fileprivate static let replySecondsMax = 30

    private let settings: MailSettings
    private let executor = ThreadExecutor(name: "smtp")
    private let isStopping = StopFlag()
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(_ settings: MailSettings) {
        // curl_global_init(3): once, before anything else of the library; later calls only count.
        precondition(curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK, "libcurl does not start")
        self.settings = settings
    }

    /// Returns when the server has taken the mail.
    func send(_ message: MailMessage) throws(MailFailure) {
        try SMTPTransfer(settings: settings, message: message, isStopping: isStopping).run()
    }

    nonisolated var isStopped: Bool { isStopping.isSet }

    /// Breaks off what is being sent, within a second or so.
    nonisolated func stop() { isStopping.set() }
}

/// One mail on its way, as libcurl's easy interface wants it: options, then a call that blocks.
private struct SMTPTransfer {
    let settings: MailSettings
    let message: MailMessage
    let isStopping: StopFlag

    func run() throws(MailFailure) {
        guard let handle = curl_easy_init() else {
            throw MailFailure(isFinal: false, description: "libcurl has no memory")
        }
        defer { curl_easy_cleanup(handle) }
        let receivers = curl_slist_append(nil, "<\(message.to.text)>")
        defer { curl_slist_free_all(receivers) }
        configure(handle)
        configureSecurity(of: handle)
        curl_set_text(handle, CURLOPT_MAIL_FROM, "<\(message.from)>")
        curl_set_list(handle, CURLOPT_MAIL_RCPT, receivers)
        let source = MessageSource(message.text)
        source.feed(handle)
        isStopping.watch(handle)
        let result = curl_easy_perform(handle)
        // libcurl has only their addresses.
        withExtendedLifetime((source, isStopping)) {}
        guard result != CURLE_OK else { return }
        throw failure(result, code: curl_response_code(handle))
    }

    private func configure(_ handle: UnsafeMutableRawPointer) {
        curl_set_text(handle, CURLOPT_URL, settings.server + "/" + settings.domain)
        curl_set_text(handle, CURLOPT_PROTOCOLS_STR, "smtp,smtps")
        // No proxy from the environment, and no signals: this process has many threads.
        curl_set_text(handle, CURLOPT_PROXY, "")
        curl_set_long(handle, CURLOPT_NOSIGNAL, 1)
        curl_set_long(handle, CURLOPT_CONNECTTIMEOUT, SMTPClient.connectSecondsMax)
        curl_set_long(handle, CURLOPT_TIMEOUT, SMTPClient.secondsMax)
        curl_set_long(handle, CURLOPT_UPLOAD, 1)
        // For each reply, also to the QUIT of a connection that is given up; closed with the transfer, so that `stop`
        // reaches that, too.
        curl_set_long(handle, CURLOPT_SERVER_RESPONSE_TIMEOUT, SMTPClient.replySecondsMax)
        curl_set_long(handle, CURLOPT_FORBID_REUSE, 1)
        if let user = settings.user, let password = settings.password {
            curl_set_text(handle, CURLOPT_USERNAME, user)
            curl_set_text(handle, CURLOPT_PASSWORD, password.value)
        }
    }

    private func configureSecurity(of handle: UnsafeMutableRawPointer) {
        let policy = settings.isLocal && settings.certificates == nil ? CURLUSESSL_TRY : CURLUSESSL_ALL
        curl_set_long(handle, CURLOPT_USE_SSL, Int(policy.rawValue))
        curl_set_long(handle, CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        if let certificates = settings.certificates { curl_set_text(handle, CURLOPT_CAINFO, certificates) }
        guard settings.isLocal, settings.certificates == nil else { return }
        curl_set_long(handle, CURLOPT_SSL_VERIFYPEER, 0)
        curl_set_long(handle, CURLOPT_SSL_VERIFYHOST, 0)
    }

    /// RFC 5321 section 4.2.1: 5yz is for good. Not where it is about us (RFC 4954: 530, 534, 535, 538), which an
    /// operator can put right.
    private func failure(_ result: CURLcode, code: Int) -> MailFailure {
        let isAboutUs = result == CURLE_LOGIN_DENIED || [530, 534, 535, 538].contains(code)
        let reason = String(cString: curl_easy_strerror(result))
        return MailFailure(
            isFinal: (500...599).contains(code) && !isAboutUs,
            description: code > 0 ? "\(reason) (the server's last reply: \(code))" : reason)
    }
}

/// The bytes of a message, given to libcurl piece by piece.
private final class MessageSource {
    private var rest: ArraySlice<UInt8>

    init(_ text: String) { rest = Array(text.utf8)[...] }

    /// The caller keeps this object alive until the transfer has ended.
    func feed(_ handle: UnsafeMutableRawPointer) {
        curl_set_pointer(handle, CURLOPT_READDATA, Unmanaged.passUnretained(self).toOpaque())
        curl_set_reader(handle) { buffer, size, count, context in
            guard let buffer, let context else { return 0 }
            let source = Unmanaged<MessageSource>.fromOpaque(context).takeUnretainedValue()
            return source.read(into: UnsafeMutableRawBufferPointer(start: buffer, count: size * count))
        }
    }

    private func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let piece = rest.prefix(buffer.count)
        rest = rest.dropFirst(piece.count)
        buffer.copyBytes(from: piece)
        return piece.count
    }
}

/// Set once, from any thread; a transfer that watches it ends.
private final class StopFlag: Sendable {
    private let value = Atomic(false)

    var isSet: Bool { value.load(ordering: .acquiring) }

    func set() { value.store(true, ordering: .releasing) }

    /// libcurl asks about once a second, also while nothing moves (CURLOPT_XFERINFOFUNCTION(3)).
    func watch(_ handle: UnsafeMutableRawPointer) {
        curl_set_long(handle, CURLOPT_NOPROGRESS, 0)
        curl_set_pointer(handle, CURLOPT_XFERINFODATA, Unmanaged.passUnretained(self).toOpaque())
        curl_set_progress(handle) { context, _, _, _, _ in
            guard let context else { return 0 }
            let flag = Unmanaged<StopFlag>.fromOpaque(context).takeUnretainedValue()
            return flag.isSet ? 1 : 0
        }
    }
}
