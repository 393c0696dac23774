import Shared
import Testing

/// What can be said about `DATABASE_URL` before anybody connects.
@Suite("DATABASE_URL")
struct DatabaseURLTests {
    @Test(arguments: [
        "postgresql://parley@localhost/parley", "postgres://u:p%40ss@[::1]:5433/d?sslmode=require", "dbname=parley",
        "host=/var/run/postgresql dbname=parley user=me password='a b'", "postgresql:///parley?host=/tmp&port=5444",
        "postgresql://a:1,b:2/d?target_session_attrs=read-write", "service=parley",
    ])
    func whatLibpqTakesIsTaken(_ url: String) {
        #expect(PostgresSettings.fault(ofURL: url) == nil)
    }

    @Test(arguments: [
        "s3cret", "mysql://me:s3cret@db/parley", "postgresql://me:s3cret@db/parley?nonsense=1", "pasword=s3cret",
        "postgresql://me:s3cret@[::1/parley", "postgresql://me:s3cret%4@db/parley", "password='s3cret",
        "postgresql://me:s3cret@db:70000/parley", "postgresql://me:s3cret@db:port/parley", "port=0 password=s3cret",
        "postgresql://me:s3cret@db/par\0ley",
    ])
    func anythingElseIsRefusedWithoutTellingThePassword(_ url: String) throws {
        var reader = SettingsReader(values: ["DATABASE_URL": url])
        _ = DatabaseSettings(&reader)
        let error = #expect(throws: SettingsError.self) { try reader.finish() }
        #expect(error?.problems.count == 1)
        #expect(error?.description.contains("DATABASE_URL") == true)
        #expect(error?.description.contains("s3cret") == false)
    }
}
