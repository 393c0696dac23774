/// The bounds of the server's connections.
package struct HTTPLimits: Sendable {
    /// All header fields of a request together, names and values, in bytes.
    package var headerBytesMax = 32 * 1024
    /// One header field, in bytes.
    package var headerFieldBytesMax = 16 * 1024
    package var headerFieldsMax = 100
    /// Between two requests of a connection, and the longest silence while a request is being read.
    package var idleSeconds = 75
    /// From the first byte of a request to the end of its header.
    package var headerSeconds = 15
    /// From the end of the header to the end of the body; plus a second for each `bodyBytesPerSecondMin` received.
    package var bodySeconds = 30
    package var bodyBytesPerSecondMin = 4 * 1024
    /// How long a client may leave an answer unread.
    package var writeStallSeconds = 60
    /// How long an idle connection is kept when the server stops, at most an eighth of the grace: a proxy that sends on
    /// it meanwhile is told with the answer that it ends.
    package var quiescenceMilliseconds = 500
    /// Connections at once; further ones wait in the backlog.
    package var connectionsMax = 4096
    package var backlog = 1024

    package init() {}
}
