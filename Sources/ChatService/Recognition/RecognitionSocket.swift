import CLinux
import Glibc

/// One end of the socket between ChatService and its recognizing child; blocking, with an optional deadline.
///
/// A socket rather than two pipes, because a descriptor can travel over it: the child is given each document
/// open, and needs no right to open any.
struct RecognitionSocket: Sendable {
    let descriptor: Int32

    /// Why nothing came or went.
    enum Failure: Error { case closed, timedOut, malformed }

    /// Makes a connected pair; both ends close on exec.
    static func pair() -> (RecognitionSocket, RecognitionSocket)? {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { return nil }
        return (RecognitionSocket(descriptor: ends[0]), RecognitionSocket(descriptor: ends[1]))
    }

    /// Sends a frame, with an open file beside its first byte if one is given.
    func send(_ frame: RecognitionFrame, file: Int32? = nil) throws(Failure) {
        let bytes = frame.bytes
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                sendSome(UnsafeRawBufferPointer(rebasing: $0[sent...]), sent == 0 ? file : nil)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .closed }
            sent += count
        }
    }

    /// Waits for a whole frame.
    /// - Parameters:
    ///   - maxBytes: the longest payload taken; a longer one is malformed.
    ///   - deadline: nil waits for ever.
    func receive(maxBytes: Int, deadline: PageDeadline?) throws(Failure) -> (RecognitionFrame, file: Int32?) {
        var file: Int32?
        do throws(Failure) {
            let head = try bytes(RecognitionFrame.headBytes, deadline, &file)
            guard let (tag, length) = RecognitionFrame.head(head, maxBytes: maxBytes) else { throw .malformed }
            let payload = String(decoding: try bytes(length, deadline, &file), as: UTF8.self)
            return (RecognitionFrame(tag: tag, payload: payload), file)
        } catch {
            if let file { close(file) }
            throw error
        }
    }

    private func bytes(_ count: Int, _ deadline: PageDeadline?, _ file: inout Int32?) throws(Failure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            try awaitReadable(until: deadline)
            let got = bytes.withUnsafeMutableBytes {
                receiveSome(UnsafeMutableRawBufferPointer(rebasing: $0[filled...]), &file)
            }
            if got < 0, errno == EINTR { continue }
            guard got > 0 else { throw .closed }
            filled += got
        }
        return bytes
    }

    private func awaitReadable(until deadline: PageDeadline?) throws(Failure) {
        guard let deadline else { return }
        while true {
            let left = deadline.remaining
            guard left > .zero else { throw .timedOut }
            let milliseconds = left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000
            var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = poll(&poller, 1, Int32(clamping: milliseconds + 1))
            if ready > 0 { return }
            guard ready == 0 || errno == EINTR else { throw .closed }
        }
    }
}

// `SCM_RIGHTS` (unix(7), cmsg(3)). The macros of <sys/socket.h> are not imported: one control message on a 64-bit
// Linux is a 16-byte header (length, level, type) and the descriptor, padded to 8 bytes.
extension RecognitionSocket {
    private static let controlBytes = 24
    private static let controlLength = 20
    private static let scmRights: Int32 = 1

    private func sendSome(_ bytes: UnsafeRawBufferPointer, _ file: Int32?) -> Int {
        guard let file else { return Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL)) }
        return withUnsafeTemporaryAllocation(byteCount: Self.controlBytes, alignment: 8) { control in
            control.initializeMemory(as: UInt8.self, repeating: 0)
            control.storeBytes(of: Self.controlLength, as: Int.self)
            control.storeBytes(of: SOL_SOCKET, toByteOffset: 8, as: Int32.self)
            control.storeBytes(of: Self.scmRights, toByteOffset: 12, as: Int32.self)
            control.storeBytes(of: file, toByteOffset: 16, as: Int32.self)
            return withMessage(UnsafeMutableRawBufferPointer(mutating: bytes), control) {
                sendmsg(descriptor, $0, Int32(MSG_NOSIGNAL))
            }
        }
    }

    private func receiveSome(_ bytes: UnsafeMutableRawBufferPointer, _ file: inout Int32?) -> Int {
        withUnsafeTemporaryAllocation(byteCount: Self.controlBytes, alignment: 8) { control in
            control.initializeMemory(as: UInt8.self, repeating: 0)
            let count = withMessage(bytes, control) { recvmsg(descriptor, $0, Int32(MSG_CMSG_CLOEXEC)) }
            if count > 0, control.load(as: Int.self) == Self.controlLength,
                control.load(fromByteOffset: 12, as: Int32.self) == Self.scmRights
            {
                if let earlier = file { close(earlier) }
                file = control.load(fromByteOffset: 16, as: Int32.self)
            }
            return count
        }
    }

    private func withMessage(
        _ bytes: UnsafeMutableRawBufferPointer, _ control: UnsafeMutableRawBufferPointer,
        _ body: (UnsafeMutablePointer<msghdr>) -> Int
    ) -> Int {
        var part = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
        return withUnsafeMutablePointer(to: &part) { part in
            var message = msghdr()
            message.msg_iov = part
            message.msg_iovlen = 1
            message.msg_control = control.baseAddress
            message.msg_controllen = control.count
            return body(&message)
        }
    }
}
