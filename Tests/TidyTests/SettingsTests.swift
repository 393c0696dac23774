import Testing

/// The settings of the contract, `.env.example` and the code name the same keys.
enum SettingsRules {
    static let contract: Set = [
        "DATABASE_URL", "JWT_SECRET", "JWT_SECRET_PREVIOUS", "HOST", "PORT", "CORS_ORIGINS", "TRUSTED_PROXIES",
        "LOG_LEVEL",
        "LOG_FORMAT", "SHUTDOWN_GRACE_SECONDS", "DATABASE_CONNECTIONS", "ACCESS_TOKEN_SECONDS", "REFRESH_TOKEN_DAYS",
        "HASH_WORKERS", "REGISTRATIONS_PER_HOUR", "LLM_BASE_URL", "LLM_API_KEY", "LLM_MODEL", "LLM_CONNECT_SECONDS",
        "LLM_FIRST_TOKEN_SECONDS", "LLM_IDLE_SECONDS", "LLM_CONCURRENCY", "HISTORY_TOKENS", "OCR_WORKERS",
        "OCR_LANGUAGES",
        "OCR_PAGE_SECONDS", "UPLOAD_DIR", "QUEUE_JOBS_MAX", "QUEUE_JOBS_PER_USER", "LEASE_SECONDS",
    ]

    /// What the services read beside the contract: for operators who bring their own prompts or Tesseract data.
    /// And how mails are sent.
    static let additions: Set = [
        "PROMPTS_DIR", "TESSDATA_PREFIX", "SMTP_URL", "SMTP_CA_FILE", "MAIL_FROM", "PUBLIC_URL",
    ]

    /// Keys of a `.env` file, those commented out too: a key at its default is listed as `#KEY=default`.
    static func keys(ofEnvironmentFile text: String) -> [String] {
        text.split(separator: "\n").compactMap { $0.firstMatch(of: #/^#?([A-Z][A-Z0-9_]+)=/#).map { String($0.1) } }
    }

    /// String literals that look like a key, in the files whose name ends in "Settings.swift".
    static func keys(readBy files: [SourceFile]) -> Set<String> {
        let settings = files.filter { $0.name.hasSuffix("Settings.swift") }
        return Set(settings.flatMap { $0.text.matches(of: #/"([A-Z][A-Z0-9_]{3,})"/#).map { String($0.1) } })
    }
}

@Suite("Settings")
struct SettingsTests {
    @Test func theExampleListsExactlyTheSettings() throws {
        let keys = SettingsRules.keys(ofEnvironmentFile: try #require(SourceTree.file(".env.example")).text)
        #expect(Set(keys) == SettingsRules.contract.union(SettingsRules.additions))
        #expect(keys.count == Set(keys).count, "a key is listed twice")
    }

    @Test func theCodeReadsExactlyTheSettings() {
        let read = SettingsRules.keys(readBy: SourceTree.sources)
        #expect(read == SettingsRules.contract.union(SettingsRules.additions))
    }

    @Test func keysAreFoundInBothKindsOfFile() {
        #expect(SettingsRules.keys(ofEnvironmentFile: "# Words.\nHOST=a\n#PORT=1\n# PORT is\n") == ["HOST", "PORT"])
        let file = SourceFile(path: "Sources/ASettings.swift", text: "reader.string(\"NEW_KEY\", default: \"a\")")
        #expect(SettingsRules.keys(readBy: [file]) == ["NEW_KEY"])
    }
}
