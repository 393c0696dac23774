import CPostgres

/// What libpq makes of a connection URI or a `key=value` string, without connecting.
enum PostgresURL {
    /// The value of one option that the text gives; nil when it gives none, or cannot be read.
    static func option(_ name: String, of url: String) -> String? { options(of: url)?[name] }

    /// The options that the text gives; nil when libpq cannot read it.
    static func options(of url: String) -> [String: String]? {
        guard let parsed = PQconninfoParse(url, nil) else { return nil }
        defer { PQconninfoFree(parsed) }
        var options: [String: String] = [:]
        var option = parsed
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { options[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        return options
    }
}

extension PostgresSettings {
    /// What is wrong with `DATABASE_URL`, in words that follow the name of the key; nil: nothing that can be seen
    /// without connecting. libpq's own message is not shown: it quotes the text, and the password is in it.
    package static func fault(ofURL url: String) -> String? {
        guard !url.utf8.contains(0), let options = PostgresURL.options(of: url) else {
            return "must be a connection URI such as postgresql://user:password@host:5432/database, or key=value pairs"
        }
        // libpq looks at ports only when it connects, and takes an empty one for its default.
        for port in (options["port"] ?? "").split(separator: ",") {
            guard let number = Int(port), (1...65535).contains(number) else { return "names a port that is none" }
        }
        return nil
    }
}
