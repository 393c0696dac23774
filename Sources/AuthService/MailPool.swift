import Logging
import Metrics
import ServiceLifecycle
import Shared

/// When a mail that was not taken is tried again.
enum MailSchedule {
    /// A link that comes later than this is of no use to somebody who waits for it: about half an hour in all.
    private static let pauses = [5, 15, 60, 180, 420, 600, 600]

    /// - Returns: seconds, nil after the last try.
    static func pauseSeconds(afterTry number: Int) -> Int? {
        pauses.indices.contains(number - 1) ? pauses[number - 1] : nil
    }
}

/// Sends the mails of the queue, one at a time.
///
/// The queue is rows: a mail survives the death of any process, and is sent at least once. Every replica with an SMTP
/// server sends. A claim lasts for longer than a try can, so what a dead replica held is taken over when it ends.
struct MailPool: Service {
    /// Mails in the queue at most; beyond it callers are told 503.
    static let waitingMax = 10_000
    /// Twice what a try takes at most.
    private static let leaseSeconds = 2 * SMTPClient.secondsMax

    let database: PostgresDatabase
    let settings: MailSettings
    let client: SMTPClient
    /// Tells this replica that there is a mail to send; the others find it when they look.
    let doorbell: Doorbell
    let logger: Logger
    /// How often the rows are looked at when nobody rings.
    var pollInterval = Duration.seconds(1)

    func run() async throws {
        await withGracefulShutdownHandler {
            await cancelWhenGracefulShutdown {
                await withDiscardingTaskGroup { group in
                    group.addTask { await ringNowAndThen() }
                    while !Task.isCancelled {
                        await doorbell.wait()
                        await sendAll()
                    }
                    group.cancelAll()
                }
            }
        } onGracefulShutdown: {
            client.stop()
        }
    }

    private func ringNowAndThen() async {
        while (try? await Task.sleep(for: pollInterval)) != nil { doorbell.ring() }
    }

    /// Until there is none left that is due, or the database is away: the next ring will tell.
    private func sendAll() async {
        while !Task.isCancelled {
            do {
                guard let mail = try await database.claimMail(leaseSeconds: Self.leaseSeconds) else { return }
                // A task of its own, which nobody cancels: whatever comes of the transfer, its row must say so. A
                // service that stops has the client break the transfer off.
                try await Task { try await send(mail) }.value
            } catch {
                logger.warning("mails cannot be sent at the moment", metadata: ["reason": "\(error)"])
                return
            }
        }
    }

    private func send(_ mail: ClaimedMail) async throws {
        let token = MailToken()
        guard try await database.allowMailToken(token, in: mail) else { return try await database.forgetMail(mail) }
        do throws(MailFailure) {
            try await client.send(MailMessage(mail.purpose, to: mail.email, token: token, settings: settings))
        } catch {
            return try await postpone(mail, after: error)
        }
        count("sent")
        try await database.forgetMail(mail)
    }

    private func postpone(_ mail: ClaimedMail, after failure: MailFailure) async throws {
        let metadata: Logger.Metadata = [
            "mail": "\(mail.id)", "purpose": "\(mail.purpose.rawValue)", "try": "\(mail.attempt)",
            "request_id": "\(mail.origin.requestID)", "reason": "\(failure)",
        ]
        if client.isStopped { return try await database.postponeMail(mail, seconds: 0) }
        if !failure.isFinal, let seconds = MailSchedule.pauseSeconds(afterTry: mail.attempt) {
            count("postponed")
            logger.warning("a mail was not taken, will be tried again", metadata: metadata)
            return try await database.postponeMail(mail, seconds: seconds)
        }
        count("failed")
        logger.error("a mail was not taken and is given up", metadata: metadata)
        try await database.forgetMail(mail)
    }

    private func count(_ outcome: String) {
        Counter(label: "parley_mails_total", dimensions: [("outcome", outcome)]).increment()
    }
}
