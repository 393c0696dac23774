import Shared

/// The two stages of the work between a question and its answer; each is a checkpoint.
enum JobStage: String, Sendable, CaseIterable {
    /// Files are read page by page: processor time, few slots.
    case recognize
    /// The model is asked: waiting, many slots.
    case answer
}

/// What every write about a job must still match: the job as it was claimed.
///
/// A claim counts `attempt` up, so a holder whose lease was taken over writes zero rows, whatever its clock says.
struct JobFence: Sendable, Hashable {
    let jobID: Int
    let attempt: Int
}

/// A job that this replica has claimed and may work on while its lease is renewed.
struct ClaimedJob: Sendable {
    let fence: JobFence
    let lease: JobLease
    let stage: JobStage
    /// Claims that count against the job: `attempt` without those that were given back through no fault of its own.
    let tries: Int
    /// The message whose status tells of the job.
    let subjectID: Int
    let questionID: Int
    let answerID: Int
    let conversationID: Int
    /// Since the question was accepted, on the database's clock; zero for a question that was accepted just now.
    let ageWhenClaimed: Duration

    /// Since the question was accepted; a change of this machine's time of day is of no effect.
    var age: Duration { ageWhenClaimed + lease.timeSinceClaim }
}

/// How a job ends without an answer; the codes are the contract's terminal `error.code`s of a message.
struct JobFailure: Error, Sendable {
    let code: String
    /// One plain sentence for the user.
    let detail: String
    /// Whether `POST /messages/{id}/retry` may help.
    let isRetryable: Bool
    /// How long to leave the model alone, if that is known.
    var retryAfter: Duration?
}

/// How a question stands, seen from outside of the work on it.
struct QuestionStanding: Sendable {
    let isProcessing: Bool
    let failure: JobFailure?
    let answer: StoredAnswer?
}
