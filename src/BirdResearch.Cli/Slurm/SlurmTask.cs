namespace BirdResearch.Cli.Slurm;

/// <summary>A task of an array that the cluster still knows of.</summary>
/// <param name="Id">Such as <c>17_3</c>.</param>
/// <param name="Name">Name of the job.</param>
/// <param name="Index">Its number in the array.</param>
/// <param name="State">As Slurm tells it: PENDING, RUNNING, COMPLETING and so on.</param>
/// <param name="Reason">Why it waits, or the node that it runs on.</param>
sealed record SlurmTask(string Id, string Name, int Index, string State, string Reason)
{
    public bool IsWaiting => State is "PENDING" or "REQUEUED" or "CONFIGURING" or "REQUEUE_HOLD" or "SUSPENDED";
}
