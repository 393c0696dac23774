/// Every problem that a caller of either service can be told, by the stable code in the answer's `code` member.
///
/// The catalogue is closed: a code that is not here cannot be answered. Texts are fixed sentences; they never carry
/// SQL, paths, secrets or other people's data. Status codes follow the contract (400: not readable, 422: readable but
/// not acceptable) and RFC 9110, section 15.
package enum ProblemCode: String, CaseIterable, Sendable {
    case invalidRequest = "invalid_request"
    case invalidJSON = "invalid_json"
    case invalidForm = "invalid_form"
    case invalidBody = "invalid_body"
    case invalidQuery = "invalid_query"
    case invalidID = "invalid_id"
    case invalidCursor = "invalid_cursor"
    case invalidIdempotencyKey = "invalid_idempotency_key"
    case missingToken = "missing_token"
    case invalidToken = "invalid_token"
    case invalidCredentials = "invalid_credentials"
    case invalidOldPassword = "invalid_old_password"
    case invalidPassword = "invalid_password"
    case invalidRefreshToken = "invalid_refresh_token"
    case totpRequired = "totp_required"
    case invalidTOTP = "invalid_totp"
    case notFound = "not_found"
    case conversationNotFound = "conversation_not_found"
    case messageNotFound = "message_not_found"
    case sessionNotFound = "session_not_found"
    case methodNotAllowed = "method_not_allowed"
    case requestTimeout = "request_timeout"
    case emailTaken = "email_taken"
    case totpAlreadyEnabled = "totp_already_enabled"
    case totpNotEnabled = "totp_not_enabled"
    case emailAlreadyConfirmed = "email_already_confirmed"
    case alreadyFinal = "already_final"
    case notRetryable = "not_retryable"
    case notRegenerable = "not_regenerable"
    case idempotencyInProgress = "idempotency_in_progress"
    case cancelled = "cancelled"
    case payloadTooLarge = "payload_too_large"
    case fileTooLarge = "file_too_large"
    case unsupportedMediaType = "unsupported_media_type"
    case contentEncodingNotSupported = "content_encoding_not_supported"
    case unsupportedFileType = "unsupported_file_type"
    case expectationFailed = "expectation_failed"
    case invalidEmail = "invalid_email"
    case weakPassword = "weak_password"
    case invalidMailToken = "invalid_mail_token"
    case samePassword = "same_password"
    case invalidName = "invalid_name"
    case invalidTitle = "invalid_title"
    case invalidBusinessContext = "invalid_business_context"
    case emptyMessage = "empty_message"
    case messageTooLong = "message_too_long"
    case emptySearch = "empty_search"
    case outOfRange = "out_of_range"
    case unknownDomain = "unknown_domain"
    case noFile = "no_file"
    case tooManyFiles = "too_many_files"
    case unreadableFile = "unreadable_file"
    case encryptedFile = "encrypted_file"
    case tooManyPages = "too_many_pages"
    case tooManyPixels = "too_many_pixels"
    case recognitionTimeout = "recognition_timeout"
    case recognitionCrashed = "recognition_crashed"
    case noTextFound = "no_text_found"
    case idempotencyKeyReused = "idempotency_key_reused"
    case tooManyAttempts = "too_many_attempts"
    case tooManyRegistrations = "too_many_registrations"
    case tooManyJobs = "too_many_jobs"
    case tooManyStreams = "too_many_streams"
    case headerTooLarge = "header_too_large"
    case internalError = "internal_error"
    case llmFailed = "llm_failed"
    case databaseUnavailable = "database_unavailable"
    case queueFull = "queue_full"
    case storageFull = "storage_full"
    case overloaded = "overloaded"
    case draining = "draining"
    case llmUnavailable = "llm_unavailable"
    case llmTimeout = "llm_timeout"

    /// The HTTP status of the answer.
    package var status: Int { entry.status }

    /// A short summary of the kind of problem, the same for every occurrence (RFC 9457, section 3.1.3).
    package var title: String { entry.title }

    /// What the caller is told when the place that found the problem has nothing better to say.
    package var detail: String { entry.detail }

    /// Identifies the kind of problem (RFC 9457, section 3.1.1); a name, not an address to visit.
    package var type: String { "urn:parley:problem:" + rawValue }

    /// Seconds a caller is asked to wait when the place that found the problem does not know better. Every 429 and
    /// 503 has one, and so has the 409 that means "the first one is still running".
    package var retryAfterSeconds: Int? {
        switch self {
        case .tooManyAttempts, .tooManyRegistrations: 60
        case .tooManyJobs, .queueFull, .llmUnavailable: 5
        case .storageFull: 30
        case .idempotencyInProgress: 1
        default: status == 429 || status == 503 ? 2 : nil
        }
    }

    private typealias Entry = (status: Int, title: String, detail: String)

    private var entry: Entry {
        switch self {
        case .invalidRequest: (400, "Malformed request", "The request is not well-formed HTTP.")
        case .invalidJSON: (400, "Invalid JSON", "The body is not one well-formed JSON document in UTF-8.")
        case .invalidForm: (400, "Invalid form", "The form cannot be read.")
        case .invalidBody: (400, "Invalid body", "A member of the body is missing or has the wrong type.")
        case .invalidQuery: (400, "Invalid query", "A query parameter is missing or has the wrong form.")
        case .invalidID: (400, "Invalid id", "The id in the path is not a positive integer.")
        case .invalidCursor: (400, "Invalid cursor", "The cursor is not one that this service gave out.")
        case .invalidIdempotencyKey:
            (400, "Invalid idempotency key", "Idempotency-Key must be 1 to 255 visible ASCII characters.")
        case .missingToken: (401, "Sign-in required", "This call needs an access token.")
        case .invalidToken: (401, "Invalid token", "The access token is invalid or has expired.")
        case .invalidCredentials: (401, "Invalid credentials", "invalid credentials")
        case .invalidOldPassword: (401, "Invalid password", "The old password is not right.")
        case .invalidPassword: (401, "Invalid password", "The password is not right.")
        case .invalidRefreshToken: (401, "Invalid refresh token", "The refresh token is invalid or has expired.")
        case .totpRequired: (401, "Second factor required", "This account also needs a code of its second factor.")
        case .invalidTOTP: (401, "Invalid code", "The code is not right, or was used before.")
        case .notFound: (404, "Not found", "There is nothing at this address.")
        case .conversationNotFound: (404, "Conversation not found", "There is no such conversation.")
        case .messageNotFound: (404, "Message not found", "There is no such message.")
        case .sessionNotFound: (404, "Session not found", "There is no such session.")
        case .methodNotAllowed: (405, "Method not allowed", "This address does not support this method.")
        case .requestTimeout: (408, "Request timeout", "The request did not arrive in time.")
        case .emailTaken: (409, "E-mail taken", "email already exists")
        case .totpAlreadyEnabled: (409, "Second factor on", "The second factor is already on.")
        case .totpNotEnabled: (409, "No second factor", "The second factor is not set up.")
        case .emailAlreadyConfirmed: (409, "E-mail confirmed", "The e-mail address is confirmed already.")
        case .alreadyFinal: (409, "Already final", "The message is already completed, failed or cancelled.")
        case .notRetryable: (409, "Not retryable", "Only a failed or cancelled user message can be retried.")
        case .notRegenerable: (409, "Not regenerable", "Only a completed assistant message can be regenerated.")
        case .idempotencyInProgress:
            (409, "Request in progress", "The first request with this Idempotency-Key is still running.")
        case .cancelled: (409, "Cancelled", "The message was cancelled.")
        case .payloadTooLarge: (413, "Payload too large", "The body is larger than this call accepts.")
        case .fileTooLarge: (413, "File too large", "A file is larger than this call accepts.")
        case .unsupportedMediaType:
            (415, "Unsupported media type", "The Content-Type of the request is not supported here.")
        case .contentEncodingNotSupported:
            (415, "Content-Encoding not supported", "A request body must not have a Content-Encoding.")
        case .unsupportedFileType:
            (415, "Unsupported file type", "The content of a file is of none of the supported types.")
        case .expectationFailed: (417, "Expectation failed", "The only supported expectation is 100-continue.")
        case .invalidEmail: (422, "Invalid e-mail", "The e-mail address is not acceptable.")
        case .invalidMailToken: (422, "Invalid link", "The link is not right, was used before, or has expired.")
        case .weakPassword:
            (422, "Weak password", "The password must have at least 8 characters and at most 1024 bytes.")
        case .samePassword: (422, "Same password", "The new password is the old one.")
        case .invalidName: (422, "Invalid name", "The name must have 1 to 255 characters and no control characters.")
        case .invalidTitle: (422, "Invalid title", "The title must have 1 to 100 characters and no control characters.")
        case .invalidBusinessContext: (422, "Invalid business context", "The business context is too long.")
        case .emptyMessage: (422, "Empty message", "The message is empty.")
        case .messageTooLong: (422, "Message too long", "The message has more than 10000 characters.")
        case .emptySearch: (422, "Empty search", "The search text is empty.")
        case .outOfRange: (422, "Out of range", "A query parameter is outside of its range.")
        case .unknownDomain: (422, "Unknown domain", "There is no such domain.")
        case .noFile: (422, "No file", "The form has no file in a part named file or files.")
        case .tooManyFiles: (422, "Too many files", "A request can have at most 5 files.")
        case .unreadableFile: (422, "Unreadable file", "The file is damaged or cannot be read.")
        case .encryptedFile: (422, "Encrypted file", "The file is protected by a password.")
        case .tooManyPages: (422, "Too many pages", "A file can have at most 100 pages.")
        case .tooManyPixels: (422, "Too many pixels", "A page can have at most 50 megapixels.")
        case .recognitionTimeout: (422, "Recognition timeout", "The pages of the file took too long to read.")
        case .recognitionCrashed: (422, "Recognition failed", "The pages of the file could not be read.")
        case .noTextFound: (422, "No text found", "No text was found in the file.")
        case .idempotencyKeyReused:
            (422, "Idempotency key reused", "This Idempotency-Key was used with another payload.")
        case .tooManyAttempts: (429, "Too many attempts", "There were too many failed attempts. Try again later.")
        case .tooManyRegistrations:
            (429, "Too many registrations", "There were too many registrations from this address. Try again later.")
        case .tooManyJobs: (429, "Too many jobs", "Too much of your work is still waiting. Try again later.")
        case .tooManyStreams:
            (429, "Too many streams", "Too many streams of events are open for you. Close one, or try again later.")
        case .headerTooLarge: (431, "Header too large", "The header of the request is too large.")
        case .internalError: (500, "Internal error", "Something went wrong on our side.")
        case .llmFailed: (502, "Language model failed", "The language model did not give a usable answer.")
        case .databaseUnavailable: (503, "Database unavailable", "The database cannot be reached at the moment.")
        case .queueFull: (503, "Queue full", "Too much work is waiting. Try again later.")
        case .storageFull: (503, "Storage full", "There is no room for uploads at the moment.")
        case .overloaded: (503, "Overloaded", "The service has too much to do at the moment.")
        case .draining: (503, "Shutting down", "The service is shutting down.")
        case .llmUnavailable: (503, "Language model unavailable", "The language model cannot be reached at the moment.")
        case .llmTimeout: (504, "Language model timeout", "The language model did not answer in time.")
        }
    }
}
