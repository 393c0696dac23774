import Shared

extension Problem {
    /// What a client is told about its upload. (Labelled: both types have cases of one name, and an unlabelled call
    /// would be ambiguous to a reader.)
    init(upload failure: UploadFailure) {
        switch failure {
        case .malformed(let failure): self.init(.invalidForm, detail: failure.sentence)
        case .requestTooLarge: self.init(.payloadTooLarge, detail: "A request can have at most 50 MiB.")
        case .fileTooLarge(let name): self.init(.fileTooLarge, detail: "The file \"\(name)\" has more than 20 MiB.")
        case .tooManyFiles: self.init(.tooManyFiles, field: "file")
        case .noFile: self.init(.noFile, field: "file")
        case .unsupportedType(let name):
            self.init(.unsupportedFileType, detail: "The content of \"\(name)\" is of none of the supported types.")
        case .emptyFile(let name): self.init(.unreadableFile, detail: "The file \"\(name)\" is empty.")
        case .badField(let name, let reason):
            self.init(.invalidBody, errors: [.init(name, "The field \(reason).")])
        case .messageTooLong: self = .messageTooLong
        case .busy: self.init(.overloaded)
        }
    }

    init(spool failure: SpoolFailure) {
        switch failure {
        case .full: self.init(.storageFull)
        case .gone: self.init(.draining)
        case .unusable(_, let reason): self.init(.internalError, cause: reason)
        case .system(let call, let errno): self.init(.internalError, cause: "\(call) failed with errno \(errno)")
        }
    }
}

extension MultipartFailure {
    /// Says in English what is wrong with the form.
    fileprivate var sentence: String {
        switch self {
        case .badBoundary: "The Content-Type has no boundary, or one that RFC 2046 does not allow."
        case .longPreamble, .longEpilogue: "There is too much before the first or after the last part of the form."
        case .badDelimiter: "A line of the form begins like a delimiter and is none."
        case .tooManyParts: "The form has too many parts."
        case .longHeaders, .tooManyHeaders: "A part of the form has too many or too long headers."
        case .badHeaders: "A part of the form has malformed headers."
        case .badDisposition: "A part of the form has no readable Content-Disposition with a name."
        case .transferEncoding: "Content-Transfer-Encoding is not supported."
        case .endedEarly: "The form ended before its closing delimiter."
        }
    }
}
