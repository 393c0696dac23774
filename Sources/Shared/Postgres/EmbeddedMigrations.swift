extension Migration {
    /// The files of `Sources/Shared/Migrations`, compiled into the program by SwiftPM's `embedInCode`, which names each
    /// after its file with `_` for what no identifier may have.
    ///
    /// A new file gets a line here; a test holds this list against the folder.
    package static let embedded: [Migration] = [
        Migration(number: 1, name: "auth", bytes: PackageResources._01_auth_sql),
        Migration(number: 2, name: "chat", bytes: PackageResources._02_chat_sql),
        Migration(number: 3, name: "idempotency", bytes: PackageResources._03_idempotency_sql),
        Migration(number: 4, name: "jobs", bytes: PackageResources._04_jobs_sql),
        Migration(number: 5, name: "live", bytes: PackageResources._05_live_sql),
        Migration(number: 6, name: "second_factor", bytes: PackageResources._06_second_factor_sql),
        Migration(number: 7, name: "mail", bytes: PackageResources._07_mail_sql),
        Migration(number: 8, name: "deleted_work", bytes: PackageResources._08_deleted_work_sql),
    ]

    private init(number: Int, name: String, bytes: [UInt8]) {
        self.init(number: number, name: name, sql: String(decoding: bytes, as: UTF8.self))
    }
}
