using static TorchSharp.torch;
Console.WriteLine(ones(3, 3).mm(ones(3, 3)).sum().item<float>());
