namespace BirdResearch.Claims;

/// <summary>Another worker has taken over a claim, because this one did not renew it in time. What it guards may not be written any more.</summary>
public sealed class ClaimLostException(string message) : IOException(message);
