import COpenSSL

/// Owns libcrypto's state of one sealing or opening with AES-256-GCM.
struct GCMComputation: ~Copyable {
    private let context: OpaquePointer
    private let isSealing: Bool

    /// - Parameters:
    ///   - key: 32 bytes.
    ///   - nonce: 12 bytes.
    init(_ key: borrowing KeyBytes, nonce: [UInt8], isSealing: Bool) throws(CryptoFailure) {
        precondition(key.count == 32 && nonce.count == 12, "AES-256-GCM has a key of 32 bytes and a nonce of 12")
        let context = CryptoFailure.require(EVP_CIPHER_CTX_new(), "EVP_CIPHER_CTX_new")
        let direction: Int32 = isSealing ? 1 : 0
        let code = key.withUnsafeBytes { key in
            EVP_CipherInit_ex2(
                context, EVP_aes_256_gcm(), key.assumingMemoryBound(to: UInt8.self).baseAddress, nonce, direction, nil)
        }
        guard code == 1 else {
            EVP_CIPHER_CTX_free(context)
            throw .last("EVP_CipherInit_ex2")
        }
        self.context = context
        self.isSealing = isSealing
    }

    deinit { EVP_CIPHER_CTX_free(context) }

    /// Binds bytes to the tag without hiding them.
    borrowing func authenticate(_ bytes: [UInt8]) throws(CryptoFailure) {
        guard let length = Int32(exactly: bytes.count) else { throw .tooLong }
        guard length > 0 else { return }
        var written: Int32 = 0
        // Without an output buffer, libcrypto takes the bytes as associated data.
        try CryptoFailure.check(EVP_CipherUpdate(context, nil, &written, bytes, length), "EVP_CipherUpdate")
    }

    /// Encrypts or decrypts the whole text. Decrypted bytes may be used only after `finish` succeeds.
    borrowing func transform(_ bytes: ArraySlice<UInt8>) throws(CryptoFailure) -> [UInt8] {
        guard let length = Int32(exactly: bytes.count) else { throw .tooLong }
        // An empty output has no address, and libcrypto would take the call for one of `authenticate`.
        guard length > 0 else { return [] }
        var output = [UInt8](repeating: 0, count: bytes.count)
        var written: Int32 = 0
        let code = bytes.withUnsafeBufferPointer { bytes in
            EVP_CipherUpdate(context, &output, &written, bytes.baseAddress, length)
        }
        try CryptoFailure.check(code, "EVP_CipherUpdate")
        precondition(written == length, "GCM gives as many bytes as it takes")
        return output
    }

    /// Ends the text.
    /// - Throws: `.notAuthentic` when opening and the tag is not that of the text.
    borrowing func finish() throws(CryptoFailure) {
        var (block, written) = ([UInt8](repeating: 0, count: 16), Int32(0))
        guard EVP_CipherFinal_ex(context, &block, &written) == 1 else {
            let failure = CryptoFailure.last("EVP_CipherFinal_ex")
            throw isSealing ? failure : .notAuthentic
        }
    }

    /// The tag of what was sealed, after `finish`.
    borrowing func tag(count: Int) throws(CryptoFailure) -> [UInt8] {
        var tag = [UInt8](repeating: 0, count: count)
        try CryptoFailure.check(
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(count), &tag), "EVP_CTRL_AEAD_GET_TAG")
        return tag
    }

    /// Says which tag the text must have, before `finish`.
    borrowing func setTag(_ tag: ArraySlice<UInt8>) throws(CryptoFailure) {
        var tag = Array(tag)
        try CryptoFailure.check(
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(tag.count), &tag), "EVP_CTRL_AEAD_SET_TAG")
    }
}
