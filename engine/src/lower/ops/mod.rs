//! One function for each operator family.

mod activation;
mod arg;
mod attention;
mod bits;
mod candidates;
mod causal_conv;
mod col2im;
mod concat;
mod constant;
mod conv;
mod conv_transpose;
mod cumulative;
mod deform_conv;
mod einsum;
mod elementwise;
mod fourier;
mod gather;
mod grid_sample;
mod heads;
mod integer;
mod known;
mod layer_norm;
mod layout;
mod linear;
mod linear_attention;
mod matmul;
mod norm;
mod pad;
mod phases;
mod pool;
mod position;
mod power;
mod quantize;
mod recurrent;
mod reduce;
mod resample;
mod resize;
mod roi_align;
mod rotary;
mod sample;
mod scatter;
mod select;
mod shape;
mod signal;
mod softmax;
mod suppression;
mod topk;
mod unpool;
mod window;

pub(super) use concat::joined;

use super::Lowering;
use super::context::Context;
use super::lazy::Lazy;
use crate::program::{FoldOp, Op};

/// Lowers a node to its outputs.
pub(super) type Lower = for<'x, 'c, 'a> fn(&'x mut Context<'c, 'a>) -> Lowering<Vec<Lazy>>;

/// The lowering of an operator of the default domain.
pub(super) fn find(operator: &str) -> Option<Lower> {
    Some(match operator {
        "Add" => |c| elementwise::variadic(c, Op::Add),
        "Sub" => |c| elementwise::binary(c, Op::Sub),
        "Mul" => |c| elementwise::binary(c, Op::Mul),
        "Div" => |c| elementwise::binary(c, Op::Div),
        "Min" => |c| elementwise::variadic(c, Op::Min),
        "Max" => |c| elementwise::variadic(c, Op::Max),
        "Sum" => |c| elementwise::variadic(c, Op::Add),
        "Mean" => elementwise::mean,
        "Greater" => |c| elementwise::binary(c, Op::Gt),
        "GreaterOrEqual" => |c| elementwise::binary(c, Op::Ge),
        "Less" => |c| elementwise::binary(c, Op::Lt),
        "LessOrEqual" => |c| elementwise::binary(c, Op::Le),
        "Equal" => |c| elementwise::binary(c, Op::Eq),
        "And" => |c| elementwise::logical(c, Op::And),
        "Or" => |c| elementwise::logical(c, Op::Or),
        "Xor" => |c| elementwise::logical(c, Op::Xor),
        "Not" => |c| elementwise::logical(c, Op::Not),
        "BitwiseAnd" => |c| elementwise::bitwise(c, Op::And),
        "BitwiseOr" => |c| elementwise::bitwise(c, Op::Or),
        "BitwiseXor" => |c| elementwise::bitwise(c, Op::Xor),
        "BitwiseNot" => |c| elementwise::bitwise(c, Op::Not),
        "BitShift" => elementwise::bit_shift,
        "Mod" => elementwise::modulo,
        "Neg" => |c| elementwise::unary(c, Op::Neg),
        "Abs" => |c| elementwise::unary(c, Op::Abs),
        "Sqrt" => |c| elementwise::unary(c, Op::Sqrt),
        "Exp" => |c| elementwise::unary(c, Op::Exp),
        "Log" => |c| elementwise::unary(c, Op::Log),
        "Tanh" => |c| elementwise::unary(c, Op::Tanh),
        "Sigmoid" => |c| elementwise::unary(c, Op::Sigmoid),
        "Erf" => |c| elementwise::unary(c, Op::Erf),
        "Sin" => |c| elementwise::unary(c, Op::Sin),
        "Cos" => |c| elementwise::unary(c, Op::Cos),
        "Tan" => |c| elementwise::unary(c, Op::Tan),
        "Asin" => |c| elementwise::unary(c, Op::Asin),
        "Acos" => |c| elementwise::unary(c, Op::Acos),
        "Atan" => |c| elementwise::unary(c, Op::Atan),
        "Sinh" => |c| elementwise::unary(c, Op::Sinh),
        "Cosh" => |c| elementwise::unary(c, Op::Cosh),
        "Asinh" => |c| elementwise::unary(c, Op::Asinh),
        "Acosh" => |c| elementwise::unary(c, Op::Acosh),
        "Atanh" => |c| elementwise::unary(c, Op::Atanh),
        "Softplus" => |c| elementwise::unary(c, Op::Softplus),
        "Floor" => |c| elementwise::unary(c, Op::Floor),
        "Ceil" => |c| elementwise::unary(c, Op::Ceil),
        "Round" => |c| elementwise::unary(c, Op::RoundEven),
        "Reciprocal" => elementwise::reciprocal,
        "Pow" => power::pow,
        "Cast" => elementwise::cast,
        "CastLike" => elementwise::cast_like,
        "BitCast" => bits::bit_cast,
        "Relu" => activation::relu,
        "LeakyRelu" => activation::leaky_relu,
        "PRelu" => activation::prelu,
        "ThresholdedRelu" => activation::thresholded_relu,
        "HardSigmoid" => activation::hard_sigmoid,
        "HardSwish" => activation::hard_swish,
        "Softsign" => activation::softsign,
        "Gelu" => activation::gelu,
        "Elu" => activation::elu,
        "Celu" => activation::celu,
        "Selu" => activation::selu,
        "Mish" => activation::mish,
        "Swish" => activation::swish,
        "SwiGLU" => activation::swiglu,
        "Shrink" => activation::shrink,
        "Clip" => select::clip,
        "Where" => select::choose,
        "Sign" => select::sign,
        "IsNaN" => select::is_nan,
        "IsInf" => select::is_infinite,
        "Trilu" => position::triangle,
        "OneHot" => position::one_hot,
        "EyeLike" => position::eye_like,
        "Conv" => conv::conv,
        "ConvTranspose" => conv_transpose::conv_transpose,
        "DeformConv" => deform_conv::deform_conv,
        "Col2Im" => col2im::col2im,
        "MaxPool" => pool::max_pool,
        "AveragePool" => pool::average_pool,
        "LpPool" => pool::lp_pool,
        "MaxUnpool" => unpool::max_unpool,
        "GlobalMaxPool" => pool::global_max_pool,
        "GlobalAveragePool" => pool::global_average_pool,
        "GlobalLpPool" => pool::global_lp_pool,
        "MatMul" => matmul::matmul,
        "Gemm" => matmul::gemm,
        "Einsum" => einsum::einsum,
        "Det" => linear::determinant,
        "AffineGrid" => linear::affine_grid,
        "MatMulInteger" => integer::matmul,
        "ConvInteger" => integer::conv,
        "QLinearMatMul" => integer::qlinear_matmul,
        "QLinearConv" => integer::qlinear_conv,
        "QuantizeLinear" => quantize::quantize,
        "DequantizeLinear" => quantize::dequantize,
        "DynamicQuantizeLinear" => quantize::dynamic_quantize,
        "RNN" => recurrent::rnn,
        "GRU" => recurrent::gru,
        "LSTM" => recurrent::lstm,
        "Softmax" => softmax::softmax,
        "LogSoftmax" => softmax::log_softmax,
        "Hardmax" => softmax::hardmax,
        "Attention" => attention::attention,
        "RotaryEmbedding" => rotary::rotary_embedding,
        "LinearAttention" => linear_attention::linear_attention,
        "CausalConvWithState" => causal_conv::causal_conv,
        "ArgMax" => |c| arg::extreme(c, FoldOp::Max),
        "ArgMin" => |c| arg::extreme(c, FoldOp::Min),
        "ReduceSum" => reduce::sum,
        "ReduceMean" => reduce::mean,
        "ReduceMax" => |c| reduce::extreme(c, FoldOp::Max),
        "ReduceMin" => |c| reduce::extreme(c, FoldOp::Min),
        "ReduceProd" => reduce::product,
        "ReduceL1" => reduce::l1,
        "ReduceL2" => reduce::l2,
        "ReduceSumSquare" => reduce::sum_square,
        "ReduceLogSum" => reduce::log_sum,
        "ReduceLogSumExp" => reduce::log_sum_exp,
        "CumSum" => cumulative::sum,
        "CumProd" => cumulative::product,
        "BatchNormalization" => norm::batch_normalization,
        "LRN" => norm::lrn,
        "LayerNormalization" => layer_norm::layer,
        "RMSNormalization" => layer_norm::root_mean_square,
        "GroupNormalization" => layer_norm::group,
        "InstanceNormalization" => layer_norm::instance,
        "MeanVarianceNormalization" => layer_norm::mean_variance,
        "LpNormalization" => layer_norm::lp,
        "Concat" => concat::concat,
        "Pad" => pad::pad,
        "CenterCropPad" => pad::center_crop_pad,
        "Resize" => resize::resize,
        "Upsample" => resize::upsample,
        "Identity" => layout::identity,
        "Dropout" => layout::dropout,
        "Transpose" => layout::transpose,
        "Expand" => layout::expand,
        "Tile" => layout::tile,
        "Slice" => layout::slice,
        "Split" => layout::split,
        "Scatter" | "ScatterElements" => scatter::elements,
        "ScatterND" => scatter::nd,
        "TensorScatter" => scatter::run,
        "TopK" => topk::top_k,
        "Compress" => known::compress,
        "NonZero" => known::non_zero,
        "Unique" => known::unique,
        "NonMaxSuppression" => suppression::suppression,
        "Gather" => gather::gather,
        "GatherElements" => gather::gather_elements,
        "GatherND" => gather::gather_nd,
        "ReverseSequence" => gather::reverse_sequence,
        "GridSample" => grid_sample::grid_sample,
        "RoiAlign" => roi_align::roi_align,
        "DepthToSpace" => layout::depth_to_space,
        "SpaceToDepth" => layout::space_to_depth,
        "Reshape" => shape::reshape,
        "Flatten" => shape::flatten,
        "Squeeze" => shape::squeeze,
        "Unsqueeze" => shape::unsqueeze,
        "Shape" => shape::shape,
        "Size" => shape::size,
        "Constant" => constant::constant,
        "ConstantOfShape" => constant::constant_of_shape,
        "Range" => constant::range,
        "HannWindow" => |c| signal::window(c, signal::HANN),
        "HammingWindow" => |c| signal::window(c, signal::HAMMING),
        "BlackmanWindow" => |c| signal::window(c, signal::BLACKMAN),
        "MelWeightMatrix" => signal::mel_weight_matrix,
        "DFT" => fourier::dft,
        "STFT" => fourier::stft,
        _ => return None,
    })
}
