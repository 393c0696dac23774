package import Logging

extension ReadinessCheck {
    /// Whether PostgreSQL answers.
    package static func database(_ database: PostgresDatabase) -> ReadinessCheck {
        ReadinessCheck("database") {
            do {
                try await database.ping()
                return nil
            } catch {
                return "does not answer"
            }
        }
    }

    /// Whether the schema has all that this program knows.
    package static func migrations(_ database: PostgresDatabase, logger: Logger) -> ReadinessCheck {
        ReadinessCheck("migrations") {
            do {
                let pending = try await Migrator().pending(database, logger: logger)
                return pending.isEmpty ? nil : "\(pending.count) pending"
            } catch {
                return "cannot be read"
            }
        }
    }
}
