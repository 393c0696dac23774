import Foundation

/// One line of the table.
struct Figure: Sendable {
    /// On which side of the bound it must be.
    enum Bound: Sendable {
        case atLeast(Double)
        case atMost(Double)
    }

    let what: String
    /// What was measured, with its unit: "6,512/s : 15,902/s".
    let measured: String
    let value: Double
    let bound: Bound

    var isGood: Bool {
        switch bound {
        case .atLeast(let least): value >= least
        case .atMost(let most): value <= most
        }
    }

    /// One thing as a share of another.
    static func ratio(_ what: String, _ ours: Double, to theirs: Double, unit: String, _ bound: Bound) -> Figure {
        let measured = "\(Report.number(ours)) \(unit) : \(Report.number(theirs)) \(unit)"
        return Figure(what: what, measured: measured, value: theirs == 0 ? 0 : ours / theirs, bound: bound)
    }

    /// A figure that stands for itself.
    static func absolute(_ what: String, _ value: Double, unit: String, atMost most: Double) -> Figure {
        absolute(what, value, unit: unit, .atMost(most))
    }

    /// As above, with a bound on either side.
    static func absolute(_ what: String, _ value: Double, unit: String, _ bound: Bound) -> Figure {
        Figure(what: what, measured: "\(Report.number(value)) \(unit)", value: value, bound: bound)
    }
}

/// The table as Markdown, ready for the README.
enum Report {
    static func table(_ figures: [Figure], date: Date) -> String {
        let day = date.formatted(.iso8601.year().month().day())
        let cores = ProcessInfo.processInfo.activeProcessorCount
        let rows = figures.map { figure in
            let bound =
                switch figure.bound {
                case .atLeast(let least): "≥ \(number(least))"
                case .atMost(let most): "≤ \(number(most))"
                }
            let cells = [figure.what, figure.measured, number(figure.value), bound, figure.isGood ? "yes" : "NO"]
            return "| " + cells.joined(separator: " | ") + " |"
        }
        let head = ["Measured on \(day), \(cores) cores, clients and PostgreSQL on them too.", ""]
        let columns = ["| what | measured | value | bound | holds |", "|---|---|---|---|---|"]
        return (head + columns + rows).joined(separator: "\n")
    }

    /// Three digits that count: 6,512 or 41.3 or 0.412.
    static func number(_ value: Double) -> String {
        let digits = abs(value) >= 100 ? 0 : abs(value) >= 10 ? 1 : 3
        let style = FloatingPointFormatStyle<Double>(locale: Locale(identifier: "en_US"))
        return value.formatted(style.precision(.fractionLength(0...digits)))
    }
}
