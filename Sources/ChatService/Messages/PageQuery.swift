import Hummingbird
import Shared

/// Reads the query parameters of a page.
struct PageQuery {
    private let parameters: Parameters

    init(_ request: Request) {
        parameters = request.uri.queryParameters
    }

    /// An integer parameter: 400 `invalid_query` when it is none, 422 `out_of_range` outside of `range`.
    func int(_ name: String, default value: Int, in range: ClosedRange<Int>) throws(Problem) -> Int {
        guard let text = parameters[name[...]] else { return value }
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw Problem(.invalidQuery, errors: [.init(name, "must be an integer")])
        }
        guard let number = Int(text), range.contains(number) else {
            let bounds =
                range.upperBound == .max ? "at least \(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
            throw Problem(.outOfRange, errors: [.init(name, "must be \(bounds)")])
        }
        return number
    }

    /// The `cursor` parameter.
    func cursor() throws(Problem) -> PageCursor? {
        guard let text = parameters["cursor"] else { return nil }
        return try PageCursor(text)
    }

    /// The `order` parameter.
    func order() throws(Problem) -> PageOrder {
        guard let text = parameters["order"] else { return .ascending }
        guard let order = PageOrder(rawValue: String(text)) else {
            throw Problem(.invalidQuery, errors: [.init("order", "must be asc or desc")])
        }
        return order
    }
}
