import CCurl

/// The C functions through which libcurl asks for a body and hands over what it received.
///
/// Each gets the address of its `Transfer`, which the loop keeps alive as long as libcurl has the handle.
enum TransferCallbacks {
    /// Returns the code of each option that was set.
    static func install(on handle: UnsafeMutableRawPointer, for transfer: Transfer) -> [CURLcode] {
        let context = Unmanaged.passUnretained(transfer).toOpaque()
        return [CURLOPT_READDATA, CURLOPT_HEADERDATA, CURLOPT_WRITEDATA].map { curl_set_pointer(handle, $0, context) }
            + [installReader(on: handle), installHeaderWriter(on: handle), installBodyWriter(on: handle)]
    }

    /// Without a function for seeking, libcurl cannot send a body a second time on its own: whether a request is
    /// repeated is the caller's decision.
    private static func installReader(on handle: UnsafeMutableRawPointer) -> CURLcode {
        curl_set_reader(handle) { buffer, size, count, context in
            guard let transfer = TransferCallbacks.owner(context) else { return 0 }
            return transfer.send(into: UnsafeMutableRawBufferPointer(start: buffer, count: size * count))
        }
    }

    private static func installHeaderWriter(on handle: UnsafeMutableRawPointer) -> CURLcode {
        curl_set_writer(handle, CURLOPT_HEADERFUNCTION) { buffer, size, count, context in
            guard let transfer = TransferCallbacks.owner(context) else { return 0 }
            let line = UnsafeRawBufferPointer(start: buffer, count: size * count)
            // CURLOPT_HEADERFUNCTION(3): any other number than what was offered ends the transfer.
            return transfer.receive(line: line) ? line.count : 0
        }
    }

    private static func installBodyWriter(on handle: UnsafeMutableRawPointer) -> CURLcode {
        curl_set_writer(handle, CURLOPT_WRITEFUNCTION) { buffer, size, count, context in
            guard let transfer = TransferCallbacks.owner(context) else { return 0 }
            let body = UnsafeRawBufferPointer(start: buffer, count: size * count)
            return transfer.receive(body: body) ? body.count : Int(CURL_WRITEFUNC_PAUSE)
        }
    }

    private static func owner(_ context: UnsafeMutableRawPointer?) -> Transfer? {
        context.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
    }
}
