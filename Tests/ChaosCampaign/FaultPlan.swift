/// What can go wrong in a campaign.
enum FaultKind: String, CaseIterable, Sendable {
    case kill = "kill -9 and restart"
    case stop = "SIGTERM and restart"
    case sleep = "SIGSTOP beyond the lease"
    case databaseRestart = "PostgreSQL restarted (immediate)"
    case terminatedBackends = "backends terminated"
    case cutConnections = "connections to PostgreSQL cut"
    case stalledConnections = "connections to PostgreSQL stalled"
    case blackHole = "connections to PostgreSQL swallowed"
    case modelHangs = "model hangs"
    case modelFails = "model answers 500"
    case modelTruncates = "model truncates"
    case modelRefuses = "model answers 429"
    case modelVanishes = "model closes connections"
    case clockShift = "replica's clock shifted"
    case spoolFull = "spool full"
}

/// One fault of the schedule.
struct PlannedFault: Hashable, Sendable, CustomStringConvertible {
    let kind: FaultKind
    /// From the start of the campaign.
    let at: Duration
    /// How long it lasts; for `kill` and `stop`, how long the replica stays away.
    let lasting: Duration
    /// The replica it hits, from 0; nil when it hits what all share.
    let replica: Int?
    /// Seconds for `clockShift`, percent of the backends for `terminatedBackends`, else 0.
    let amount: Int

    var description: String {
        let place = replica.map { " replica \($0)" } ?? ""
        return "\(at) \(kind.rawValue)\(place) for \(lasting)\(amount == 0 ? "" : " (\(amount))")"
    }
}

/// The schedule of a campaign: a pure function of seed, length and lease, so that a failing seed replays.
struct FaultPlan: Hashable, Sendable {
    static let replicas = 3

    let faults: [PlannedFault]

    /// - Parameters:
    ///   - length: faults begin within it; the last may end a little later.
    ///   - leaseSeconds: what a replica must sleep through to lose its work.
    init(seed: UInt64, length: Duration, leaseSeconds: Int) {
        var random = SeededRandom(seed: seed)
        var faults: [PlannedFault] = []
        var time = random.duration(500...1500)
        while time < length {
            faults.append(Self.fault(at: time, leaseSeconds: leaseSeconds, &random))
            time += random.duration(400...2400)
        }
        self.faults = faults
    }

    private static let weights: [(FaultKind, weight: Int)] = [
        (.kill, 32), (.stop, 4), (.sleep, 9), (.databaseRestart, 4), (.terminatedBackends, 7), (.cutConnections, 9),
        (.stalledConnections, 6), (.blackHole, 6), (.modelHangs, 3), (.modelFails, 4), (.modelTruncates, 5),
        (.modelRefuses, 3), (.modelVanishes, 3), (.clockShift, 7), (.spoolFull, 6),
    ]

    private static func fault(at time: Duration, leaseSeconds: Int, _ random: inout SeededRandom) -> PlannedFault {
        let kind = random.choice(of: weights)
        // Drawn for every kind, so that a change of one kind leaves the rest of the schedule as it was.
        let replica = Int.random(in: 0..<replicas, using: &random)
        let isForward = random.happens(0.5)
        let share = Int.random(in: 0..<1000, using: &random)
        return PlannedFault(
            kind: kind, at: time, lasting: lasting(kind, share, leaseSeconds), replica: hitsOne(kind) ? replica : nil,
            amount: amount(kind, share, isForward: isForward))
    }

    /// - Parameter share: per mille of the range of this kind.
    private static func lasting(_ kind: FaultKind, _ share: Int, _ leaseSeconds: Int) -> Duration {
        let lease = leaseSeconds * 1000
        let (least, most) =
            switch kind {
            case .kill: (100, 2500)
            case .stop, .databaseRestart, .terminatedBackends, .cutConnections: (0, 0)
            case .sleep: (lease + 1000, lease + 5000)
            case .stalledConnections: (500, lease + 2000)
            case .blackHole: (1000, lease * 2)
            case .modelHangs, .modelFails, .modelTruncates, .modelRefuses, .modelVanishes: (500, 5000)
            case .clockShift: (2000, 10_000)
            case .spoolFull: (1000, 6000)
            }
        return .milliseconds(least + (most - least) * share / 1000)
    }

    private static func amount(_ kind: FaultKind, _ share: Int, isForward: Bool) -> Int {
        switch kind {
        case .clockShift: (isForward ? 1 : -1) * (1 + share * 3600 / 1000)
        case .terminatedBackends: 20 + share * 80 / 1000
        default: 0
        }
    }

    private static func hitsOne(_ kind: FaultKind) -> Bool {
        switch kind {
        case .databaseRestart, .terminatedBackends, .modelHangs, .modelFails, .modelTruncates, .modelRefuses,
            .modelVanishes:
            false
        case .kill, .stop, .sleep, .cutConnections, .stalledConnections, .blackHole, .clockShift, .spoolFull: true
        }
    }
}
