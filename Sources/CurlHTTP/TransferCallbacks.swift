import CCurl

/// The C functions through which libcurl hands over what it received.
///
/// Each gets the address of its `Transfer`, which the loop keeps alive as long as libcurl has the handle.
enum TransferCallbacks {
    static func install(on handle: UnsafeMutableRawPointer, for transfer: Transfer) {
        let context = Unmanaged.passUnretained(transfer).toOpaque()
        curl_set_pointer(handle, CURLOPT_HEADERDATA, context)
        curl_set_writer(handle, CURLOPT_HEADERFUNCTION) { buffer, size, count, context in
            guard let transfer = TransferCallbacks.owner(context) else { return 0 }
            // CURLOPT_HEADERFUNCTION(3): any other number than what was offered ends the transfer.
            let line = TransferCallbacks.bytes(buffer, size * count)
            return transfer.receive(line: line) ? line.count : 0
        }
        curl_set_pointer(handle, CURLOPT_WRITEDATA, context)
        curl_set_writer(handle, CURLOPT_WRITEFUNCTION) { buffer, size, count, context in
            guard let transfer = TransferCallbacks.owner(context) else { return 0 }
            let body = TransferCallbacks.bytes(buffer, size * count)
            return transfer.receive(body: body) ? body.count : Int(CURL_WRITEFUNC_PAUSE)
        }
    }

    private static func owner(_ context: UnsafeMutableRawPointer?) -> Transfer? {
        context.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
    }

    private static func bytes(_ buffer: UnsafeMutablePointer<CChar>?, _ count: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: buffer, count: count)
    }
}
