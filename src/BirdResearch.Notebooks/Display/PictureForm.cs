using System.Text.Json.Nodes;
using BirdResearch.Notebooks.Cells;

namespace BirdResearch.Notebooks.Display;

/// <summary>Pictures.</summary>
static class PictureForm
{
    public static MimeBundle Of(PngPicture picture)
    {
        var bundle = MimeBundle.Plain(picture.Text).With(MimeBundle.PngType, Convert.ToBase64String(picture.Png));
        if (picture.Width == 0 || picture.Height == 0) return bundle;
        return bundle with { Metadata = new Dictionary<string, JsonNode> { [MimeBundle.PngType] = new JsonObject { ["width"] = picture.Width, ["height"] = picture.Height } } };
    }
}
